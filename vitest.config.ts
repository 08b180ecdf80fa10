import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const conditions = ['@shaketable/source', ...defaultServerConditions]
const ignored = ['**/node_modules/**', '**/dist/**', '**/fixtures/**']
/** They measure a system under load, so nothing else may take the machine from them. */
const measuring = ['chaos/test/run.test.ts', 'chaos/test/run-interrupted.test.ts', 'chaos/test/kill-9.test.ts']
const real = '**/*.real.test.ts'

const project = (name: string, test: { include: string[]; exclude: string[]; order: number; alone: boolean }) => ({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    name,
    include: test.include,
    exclude: [...ignored, ...test.exclude],
    env: { NODE_OPTIONS: '--conditions=@shaketable/source' },
    sequence: { groupOrder: test.order },
    fileParallelism: !test.alone,
    // The usual second is too little for what another process does while the machine starts six more.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: name === 'real' ? 300_000 : 60_000,
    hookTimeout: name === 'real' ? 900_000 : 60_000,
  },
})

/** `house` and then `runs` need only Node and npm; `real` runs against engines that its tests install. */
export default defineConfig({
  test: {
    // Most tests wait for a child process: there is room for one more than leaves a core free.
    maxWorkers: '100%',
    projects: [
      project('house', { include: ['**/*.test.ts'], exclude: [real, ...measuring], order: 1, alone: false }),
      project('runs', { include: measuring, exclude: [], order: 2, alone: true }),
      project('real', { include: [real], exclude: [], order: 3, alone: true }),
    ],
  },
})
