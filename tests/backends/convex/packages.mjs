/** Let Convex functions be imported where they lie: packages come from the cache, `./logs` is `./logs.ts`. */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Resolve imports as Convex's bundler does, packages from a folder of node_modules, whoever imports them. */
export function usePackages(folder) {
  const anyPackage = pathToFileURL(join(folder, "any.mjs")).href;
  registerHooks({
    resolve(specifier, context, next) {
      if (/^convex(-test)?(\/|$)/.test(specifier)) return next(specifier, { ...context, parentURL: anyPackage });
      if (/^\.\.?\//.test(specifier) && context.parentURL?.endsWith(".ts")) return next(`${specifier}.ts`, context);
      return next(specifier, context);
    },
  });
}
