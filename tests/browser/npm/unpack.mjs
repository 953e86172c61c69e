// Unpack Chromium and the shared libraries that it needs into the temporary folder.
// Usage: node unpack.mjs MODULES

import { pathToFileURL } from "node:url";

const { default: chromium } = await import(pathToFileURL(`${process.argv[2]}/@sparticuz/chromium/build/esm/index.mjs`));
await chromium.executablePath();
