import type { PromRegistry } from '../metrics/prom-client.ts'
import type { LibraryFile } from './modules.ts'

/** Finds the default registry of every prom-client copy that the app loads. */
export function promClient(found: (registry: PromRegistry) => void): LibraryFile {
  return {
    library: 'prom-client',
    file: 'lib/registry.js',
    majors: [13, 14, 15],
    patch(exported) {
      const { globalRegistry } = exported as { globalRegistry?: PromRegistry }
      if (globalRegistry) found(globalRegistry)
      return exported
    },
  }
}
