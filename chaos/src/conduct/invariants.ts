import { execFile } from 'node:child_process'
import type { Invariant, System } from '../experiment/model.ts'
import type { LiveView } from '../report/reporter.ts'
import type { World } from '../world.ts'

const tryAgainMs = 500
const commandTimeoutMs = 15_000

/** Asks each invariant's command until it exits 0 or its time is over: asynchronous work may still be under way. */
export async function checkInvariants(
  system: System,
  context: { world: World; view: LiveView; commandEnv: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<{ name: string; service: string | undefined; holds: boolean; detail: string }[]> {
  const { clock } = context.world
  return Promise.all(
    system.invariants.map(async invariant => {
      context.view.note?.(`checking the invariant ${invariant.name}`)
      const until = clock.now() + invariant.withinMs
      for (;;) {
        const answer = await ask(invariant, system.dir, context)
        if (answer.holds || clock.now() >= until || context.signal.aborted) {
          return { name: invariant.name, service: invariant.service, ...answer }
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
): Promise<{ holds: boolean; detail: string }> {
  const [command, ...args] = invariant.command as [string, ...string[]]
  const file = command === 'node' ? process.execPath : command
  return new Promise(resolve => {
    execFile(file, args, { cwd, env: context.commandEnv, timeout: commandTimeoutMs }, (error, stdout, stderr) => {
      const lines = `${stdout}\n${stderr}`.split('\n').filter(line => line.trim() !== '')
      resolve({ holds: !error, detail: lines.at(-1)?.trim() ?? error?.message ?? 'holds' })
    })
  })
}
