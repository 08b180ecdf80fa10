import { isAbsolute } from 'node:path'
import { defineConfig, type Plugin } from 'rolldown'

/**
 * To `import` one of Node's modules reads all that it exports, and some of that loads much: `http.WebSocket` is the whole of
 * undici, `fs.promises` brings readline, `crypto.webcrypto` itself. So the built files ask for the modules without importing
 * them. What tells an old Node that it is too old must be able to run on it.
 */
const builtinsUnread: Plugin = {
  name: 'builtins-unread',
  renderChunk(code, { name }) {
    if (name === 'register-enabled') return null
    const changed = code.replaceAll(
      /^import (?:\* as )?(?:(\w+)(?:, )?)?(\{[^}]*\})? from "(node:\w+)";$/gm,
      (_, whole: string | undefined, parts: string | undefined, module: string) =>
        [whole, parts?.replaceAll(' as ', ': ')]
          .filter(Boolean)
          .map(names => `const ${names} = process.getBuiltinModule("${module}");`)
          .join(' '),
    )
    // No line moves, so that the source map stays true.
    return { code: changed, map: null }
  },
}

/**
 * `dist`, but for the types, which tsc writes. All that a start needs is one file: Node takes some 1 ms for each module. What is
 * loaded only for an option (grpc, faults, pushed metrics, the doctor) stays in files of its own, and so do the small entries.
 */
export default defineConfig({
  input: {
    index: 'src/index.ts',
    register: 'src/register.ts',
    names: 'src/names.ts',
    'faults/wire': 'src/faults/wire.ts',
    'doctor/main': 'src/doctor/main.ts',
  },
  platform: 'node',
  plugins: [builtinsUnread],
  logLevel: 'warn',
  preserveEntrySignatures: 'allow-extension',
  external: id => !id.startsWith('.') && !isAbsolute(id),
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    // They stand beside it, in src.
    sourcemapExcludeSources: true,
    chunkFileNames: '[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          name: 'sdk',
          test: /src\/(?!(index|register|register-enabled|package-managers|running|names|http\/route|metrics\/instruments)\.ts|doctor|faults|traces\/otlp-grpc|metrics\/(open-push|push|otel-form|otlp-))/,
        },
      ],
    },
  },
})
