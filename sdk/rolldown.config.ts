import { isAbsolute } from 'node:path'
import { defineConfig } from 'rolldown'

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
  logLevel: 'warn',
  preserveEntrySignatures: 'allow-extension',
  external: id => !id.startsWith('.') && !isAbsolute(id),
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    chunkFileNames: '[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          name: 'sdk',
          test: /src\/(?!(index|register|register-enabled|running|names|http\/route|metrics\/instruments)\.ts|doctor|faults|traces\/otlp-grpc|metrics\/(open-push|push|otel-form|otlp-))/,
        },
      ],
    },
  },
})
