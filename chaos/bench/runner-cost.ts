/**
 * `npm run bench:cost -w shaketable [-- --seconds 32 --rate 2000]`: what the runner takes while it conducts an experiment on fifty
 * services: it offers a load to them, scrapes each twice a second, takes two spans of every request, guards, and judges. Measured
 * from outside (Linux): CPU time and the greatest proportional set size of the runner, its load process and its keeper together.
 * The services are one other process. Exits 1 over one core or 300 MB, or where the load was off by over 1 %.
 */
import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Outcome, Service, Told } from './fifty-services-run.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '32' }, rate: { type: 'string', default: '2000' } },
})
const [seconds, rate] = [Number(values.seconds), Number(values.rate)]
const goals = { cores: 1, pssMb: 300, offBy: 0.01 }
/** The kernel walks all pages of a process for its PSS, in the way of that process. */
const lookEveryMs = 2000
const ticksPerSecond = 100

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const state = await mkdtemp(join(tmpdir(), 'shaketable-bench-'))
const runner = fork(await onBuiltFiles('fifty-services-run.ts'), [], {
  env: { ...process.env, SHAKETABLE_STATE: state },
})
const told = on(runner, 'message', { close: ['exit'] })
const hear = async <T extends Told>() => ((await told.next()).value as [T])[0]
const { tracesUrl } = await hear<{ tracesUrl: string }>()
const fifty = fork(beside('fifty-services.ts'), [], { env: { ...process.env, TRACES: tracesUrl } })
try {
  const [services] = (await once(fifty, 'message')) as [Service[]]
  runner.send({ services, rate, seconds })
  await hear()
  const outcome = hear<Outcome>()
  const seen = new Map<string, { pssMb: number; cpuSeconds: number; cpuBefore: number }>()
  const began = performance.now()
  let [greatest, ended] = [[] as [string, number][], false]
  outcome.finally(() => {
    ended = true
  })
  while (!ended) {
    const now: [string, number][] = []
    for (const pid of await treeOf(runner.pid as number)) {
      const [name, pssMb, cpuSeconds] = await Promise.all([nameOf(pid), pssOf(pid), cpuOf(pid)])
      if (pssMb === 0) continue
      now.push([name, pssMb])
      const before = seen.get(name)?.cpuBefore ?? cpuSeconds
      seen.set(name, { pssMb, cpuSeconds, cpuBefore: before })
    }
    if (sum(now) > sum(greatest)) greatest = now
    await Promise.race([sleep(lookEveryMs), outcome])
  }
  const lasted = (performance.now() - began) / 1000
  const { verdict, reasons, samples, phasesMs, spans, keptShare, latenessP99Ms } = await outcome
  const cpu = [...seen].map(([name, each]): [string, number] => [name, (each.cpuSeconds - each.cpuBefore) / lasted])
  const [cores, pssMb, offered] = [sum(cpu), sum(greatest), (samples * 1000) / phasesMs]
  const offBy = Math.abs(offered / rate - 1)
  const each = (of: [string, number][], digits: number, unit: string) =>
    of.map(([name, value]) => `${name} ${value.toFixed(digits)}${unit}`).join(', ')
  console.log(
    [
      `| | goal | measured |`,
      `|---|--:|--:|`,
      `| cores (${each(cpu, 2, '')}) | ${goals.cores} | ${cores.toFixed(2)} |`,
      `| memory, PSS (${each(greatest, 0, ' MB')}) | ${goals.pssMb} MB | ${pssMb.toFixed(0)} MB |`,
      `| requests/s of ${rate} | within ${goals.offBy * 100} % | ${offered.toFixed(0)} (${(offBy * 100).toFixed(2)} % off) |`,
      `| lateness of an arrival, p99 | | ${latenessP99Ms.toFixed(1)} ms |`,
      `| spans kept | | ${spans}, of all traces ${keptShare * 100} % |`,
      `| verdict | | ${verdict}${reasons.map(reason => `; ${reason}`).slice(0, 3)} |`,
    ].join('\n'),
  )
  if (cores > goals.cores || pssMb > goals.pssMb || offBy > goals.offBy) process.exitCode = 1
} finally {
  fifty.disconnect()
  if (runner.connected) runner.disconnect()
  await rm(state, { recursive: true, force: true })
}

/** What is installed is JavaScript: that Node strips types takes 12 MB of each process. */
async function onBuiltFiles(file: string): Promise<string> {
  const text = stripTypeScriptTypes(await readFile(beside(file), 'utf8'))
  const built = join(state, 'run.mjs')
  await writeFile(
    built,
    text.replaceAll(/'\.\.\/src\/(.*)\.ts'/g, (_, path) => `'${new URL(`../dist/${path}.js`, import.meta.url)}'`),
  )
  return built
}

function sum(of: [string, number][]): number {
  return of.reduce((all, [, value]) => all + value, 0)
}

async function treeOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return [pid, ...(await Promise.all(text.split(' ').filter(Boolean).map(Number).map(treeOf))).flat()]
}

async function nameOf(pid: number): Promise<string> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  if (command.includes('keeper-main')) return 'keeper'
  return command.includes('worker') ? 'load process' : 'runner'
}

/** Memory that is shared counts by its share. */
async function pssOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024
}

async function cpuOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [user = 0, system = 0] = text
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) / ticksPerSecond
}
