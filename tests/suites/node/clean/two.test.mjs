import { cleanTests } from "../clean.mjs";

cleanTests("two");
