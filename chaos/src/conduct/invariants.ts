import { execFile } from 'node:child_process'
import type { Experiment, Invariant } from '../experiment/model.ts'
import type { LiveView } from '../report/reporter.ts'
import type { World } from '../world.ts'

const tryAgainMs = 500
const commandTimeoutMs = 15_000

/** What an invariant's command said. */
export interface CheckedInvariant {
  name: string
  holds: boolean
  detail: string
  /** Services that a line of it begins with, as in `payments: 3 orders were charged twice`. */
  names: string[]
}

/** Asks each invariant's command until it exits 0 or its time is over: asynchronous work may still be under way. */
export async function checkInvariants(
  { system, expect }: Experiment,
  context: { world: World; view: LiveView; commandEnv: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<CheckedInvariant[]> {
  const { clock } = context.world
  return Promise.all(
    [...system.invariants, ...(expect.invariants ?? [])].map(async invariant => {
      context.view.note?.(`checking the invariant ${invariant.name}`)
      const until = clock.now() + invariant.withinMs
      for (;;) {
        const { holds, lines } = await ask(invariant, system.dir, context)
        if (holds || clock.now() >= until || context.signal.aborted) {
          const names = system.services
            .map(({ name }) => name)
            .filter(name => lines.some(line => line.startsWith(`${name}: `)))
          return { name: invariant.name, holds, detail: lines.at(-1) ?? 'holds', names }
        }
        await clock.sleep(tryAgainMs, context.signal).catch(() => {})
      }
    }),
  )
}

function ask(
  invariant: Invariant,
  cwd: string,
  context: { commandEnv: NodeJS.ProcessEnv },
): Promise<{ holds: boolean; lines: string[] }> {
  const [command, ...args] = invariant.command as [string, ...string[]]
  const file = command === 'node' ? process.execPath : command
  return new Promise(resolve => {
    execFile(file, args, { cwd, env: context.commandEnv, timeout: commandTimeoutMs }, (error, stdout, stderr) => {
      const said = `${stdout}\n${stderr}`.split('\n').map(line => line.trim())
      const lines = said.filter(line => line !== '')
      resolve({ holds: !error, lines: lines.length === 0 && error ? [error.message] : lines })
    })
  })
}
