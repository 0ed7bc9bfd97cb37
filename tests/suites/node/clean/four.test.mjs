import { cleanTests } from "../clean.mjs";

cleanTests("four");
