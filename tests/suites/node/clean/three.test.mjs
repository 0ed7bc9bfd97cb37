import { cleanTests } from "../clean.mjs";

cleanTests("three");
