/**
 * `npm run bench -w @shaketable/slo [-- --objectives 1000 --promtool]`: how long it takes to read that many objectives and to make their
 * rules as YAML. Prints medians of five rounds, after one that is not counted: the time on the clock, and that of the
 * processor, which is what a machine that does other things too leaves comparable. With `--promtool` that program checks the
 * rules.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readObjectives } from '../src/openslo.ts'
import { prometheusRules } from '../src/rules.ts'
import { toYaml } from '../src/to-yaml.ts'

const rounds = 5
const { values } = parseArgs({
  options: { objectives: { type: 'string', default: '1000' }, promtool: { type: 'boolean', default: false } },
})
const count = Number(values.objectives)
if (values.promtool && spawnSync('promtool', ['--version']).error) {
  console.error('--promtool needs promtool on the PATH: apt-get install prometheus')
  process.exit(2)
}

interface Spent {
  clockMs: number
  cpuMs: number
}

const files = Array.from({ length: count }, (_, index) => objectiveFile(`objective-${index}`))
const steps: Record<'read' | 'rules' | 'yaml', Spent[]> = { read: [], rules: [], yaml: [] }
let text = ''
for (let round = 0; round <= rounds; round++) {
  const objectives = timed('read', () => files.flatMap((text, index) => readObjectives(text, `${index}.yaml`)))
  const rules = timed('rules', () => prometheusRules(objectives))
  text = timed('yaml', () => toYaml(rules))
  if (round === 0) for (const warmUp of Object.values(steps)) warmUp.length = 0
}

console.log(
  `${count} objectives, ${(text.length / 1e6).toFixed(1)} MB of rules, Node ${process.version}, ${rounds} rounds`,
)
const medians = Object.entries(steps).map(([step, spent]) => ({ step, ...median(spent) }))
for (const row of [...medians, { step: 'in all', clockMs: sum('clockMs'), cpuMs: sum('cpuMs') }]) {
  console.log(
    `${row.step.padEnd(6)} ${row.clockMs.toFixed(0).padStart(6)} ms, ${row.cpuMs.toFixed(0).padStart(6)} ms of processor`,
  )
}

if (values.promtool) {
  const folder = mkdtempSync(join(tmpdir(), 'shaketable-bench-'))
  try {
    writeFileSync(join(folder, 'rules.yaml'), text)
    const { status } = spawnSync('promtool', ['check', 'rules', 'rules.yaml'], { cwd: folder, stdio: 'inherit' })
    process.exitCode = status ?? 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function timed<T>(step: keyof typeof steps, work: () => T): T {
  const beganAt = performance.now()
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  steps[step].push({ clockMs: performance.now() - beganAt, cpuMs: (user + system) / 1000 })
  return result
}

function median(spent: Spent[]): Spent {
  const middle = (field: keyof Spent) => spent.map(each => each[field]).sort((a, b) => a - b)[rounds >> 1]!
  return { clockMs: middle('clockMs'), cpuMs: middle('cpuMs') }
}

function sum(field: keyof Spent): number {
  return medians.reduce((total, each) => total + each[field], 0)
}

function objectiveFile(name: string): string {
  return `apiVersion: openslo/v1
kind: SLO
metadata: { name: ${name} }
spec:
  service: gateway
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  objectives: [{ target: 0.99 }]
  indicator:
    metadata: { name: ${name} }
    spec:
      ratioMetric:
        counter: true
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: gateway, method: POST, route: /checkout } } }
        good: { metricSource: { type: shaketable, spec: { status: "<500", under: 500ms } } }
`
}
