import { exitCode } from '@shaketable/slo'
import { type EndingSignal, endingSignals, exitCodeOf } from './ending-signals.ts'
import { run } from './main.ts'
import { processWorld } from './world.ts'
import { keepYoungGenerationSmall } from './young-generation.ts'

/** The edge of the process: signals in, exit code out. The only place that ends the process. */
const interruption = new AbortController()
keepYoungGenerationSmall()

for (const signal of Object.keys(endingSignals) as EndingSignal[]) {
  process.on(signal, () => {
    if (interruption.signal.aborted) endNow(endingSignals[signal])
    interruption.abort(signal)
  })
}
// A reader that went away (`| head`) is no reason to leave faults armed.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const code = await run(process.argv.slice(2), processWorld(interruption.signal))
process.exitCode = code === exitCode.notUndone ? code : (exitCodeOf(interruption.signal) ?? code)

/** The second signal means now: the keeper undoes what we leave behind. Only the cursor is ours to give back. */
function endNow(code: number): never {
  if (process.stderr.isTTY) process.stderr.write('\x1b[?25h')
  process.exit(code)
}
