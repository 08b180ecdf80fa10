import { fileURLToPath } from 'node:url'

/** One way to run the same app. */
export interface Contender {
  name: string
  title: string
  /** Arguments of node. */
  command: string[]
  env: Record<string, string>
  /** Whether spans must reach the sink: a stack that exports nothing would win the race for nothing. */
  exports: boolean
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const bare = file('app/server.cjs')
const register = ['--conditions=@shaketable/source', '--import', file('../src/register.ts')]

export const contenders: Contender[] = [
  { name: 'bare', title: 'bare Express 5', command: [bare], env: {}, exports: false },
  {
    name: 'hand',
    title: 'assembled by hand: OpenTelemetry, prom-client, pino',
    command: [file('app/hand-assembled.cjs')],
    env: {},
    exports: true,
  },
  { name: 'ours', title: '@shaketable/sdk, all signals', command: [...register, bare], env: {}, exports: true },
  {
    name: 'disabled',
    title: '@shaketable/sdk, OTEL_SDK_DISABLED=true',
    command: [...register, bare],
    env: { OTEL_SDK_DISABLED: 'true' },
    exports: false,
  },
]
