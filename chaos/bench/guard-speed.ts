/**
 * `npm run bench:guard -w shaketable [-- --runs 50]`: from the moment at which a guard's condition came true to the proof that every
 * fault is undone, on real runs of a small system that a fault breaks. Prints the quantiles, and exits 1 where one took a second.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runSuite } from '../src/conduct/run-suite.ts'
import type { FaultSpec } from '../src/experiment/model.ts'
import { readExperiments } from '../src/experiment/read.ts'
import { processWorld } from '../src/world.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '50' } } })
const count = Number(values.runs)
const limitMs = 1000

const file = fileURLToPath(new URL('../test/fixtures/duo/experiments/guarded-back.yaml', import.meta.url))
const [guarded] = await readExperiments([file], { read: path => readFile(path, 'utf8') })
if (!guarded) throw new Error(`${file} holds no experiment`)
const [error] = guarded.faults as [FaultSpec]
const { id, service, startMs, durationMs, place } = error
const anywhere = { id, service, startMs, durationMs, place }
/** With each a request is answered at once; a guard on requests that hang is as slow as their timeout. */
const faults: FaultSpec[] = [
  error,
  { ...error, kind: 'reset' } as FaultSpec,
  { ...error, kind: 'truncate', afterBytes: 0 } as FaultSpec,
  { ...anywhere, kind: 'scaleToZero', graceMs: 1000 },
]
const experiments = Array.from({ length: count }, (_, index) => ({
  ...guarded,
  name: `guarded-${index + 1}`,
  faults: [faults[index % faults.length]!],
}))

// The services run this house's sources, too.
process.env.NODE_OPTIONS = '--conditions=@shaketable/source'
const world = processWorld(new AbortController().signal)
const request = { target: 'local' as const, seed: 1, attempts: 1, env: { RESILIENCE: 'off' }, logDir: undefined }
const report = await runSuite({ ...request, experiments }, world, {})

const tookMs: number[] = []
for (const { name, reasons } of report.experiments) {
  const told = reasons.map(reason => /every fault was undone ([\d.]+) (m?s) later$/.exec(reason)).find(Boolean)
  if (told) tookMs.push(Number(told[1]) * (told[2] === 's' ? 1000 : 1))
  else console.log(`${name}: no breach was undone: ${reasons.join('; ')}`)
}
tookMs.sort((a, b) => a - b)
const quantile = (q: number) => tookMs[Math.min(tookMs.length - 1, Math.floor(q * tookMs.length))]
const within = tookMs.filter(ms => ms < limitMs).length
console.log(`${within} of ${count} were undone within ${limitMs} ms of the breach`)
console.log(`median ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms, longest ${tookMs.at(-1)} ms`)
process.exitCode = within === count ? 0 : 1
