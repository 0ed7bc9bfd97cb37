import { cleanTests } from "../clean.mjs";

cleanTests("one");
