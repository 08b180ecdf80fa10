import type { World } from '../world.ts'
import type { ExperimentReport } from './model.ts'
import type { LiveState, LiveView } from './reporter.ts'
import { cut, printable, type Style, styleFor, textWidth, verdictText } from './style.ts'
import { duration, percent } from './units.ts'

export { type Style, styleFor } from './style.ts'
export { summary } from './summary.ts'

interface Running {
  name: string
  title: string
  index: number
  count: number
  totalMs: number
}

/** What a run shows on stderr while it goes: one block painted in place on a terminal, plain lines elsewhere. */
export function terminalView(world: World): LiveView {
  const { stderr, env } = world
  return stderr.isTTY && env.TERM !== 'dumb' ? paintedView(world) : plainView(world)
}

function paintedView({ stderr, env }: World): LiveView {
  let painted = 0
  let running: Running | undefined
  let phase = { name: '', startMs: 0 }
  let closed = false

  /** One write a frame, so that nothing tears: up to the block's first line, then each line over its old self. */
  const paint = (block: string[], above: string[] = []) => {
    const up = painted > 0 ? `\x1b[${painted}A` : ''
    const lines = [...above, ...block].map(text => `\r\x1b[2K${text}\n`)
    stderr.write(`\x1b[?25l${up}${lines.join('')}\x1b[J`)
    painted = block.length
  }
  let block: string[] = []

  return {
    note(text) {
      const style = styleFor(stderr, env)
      paint(block, [style.dim(cut(printable(text), columnsOf(style)))])
    },
    experimentBegins(experiment) {
      running = { ...experiment, name: printable(experiment.name), title: printable(experiment.title) }
      phase = { name: '', startMs: 0 }
      block = [headline(running, styleFor(stderr, env))]
      paint(block)
    },
    tick(state) {
      if (!running || closed) return
      if (state.phase !== phase.name) phase = { name: state.phase, startMs: state.elapsedMs }
      block = liveBlock(running, state, phase.startMs, styleFor(stderr, env))
      paint(block)
    },
    experimentEnds(report) {
      running = undefined
      block = []
      paint(block, endLines(report, styleFor(stderr, env)))
    },
    close() {
      if (closed) return
      closed = true
      block = []
      paint(block)
      stderr.write('\x1b[?25h')
    },
  }
}

function liveBlock(running: Running, state: LiveState, phaseStartMs: number, style: Style): string[] {
  const columns = columnsOf(style)
  const goneMs = state.elapsedMs - phaseStartMs
  const share = goneMs / Math.max(1, goneMs + state.phaseEndsInMs)
  const left = Math.max(0, running.totalMs - state.elapsedMs)
  const clock = `${seconds(state.elapsedMs)} gone, ${seconds(left)} left`
  const name = state.phase.padEnd('baseline'.length)
  const room = Math.min(40, columns - textWidth(`  ${name}    ${clock}`))
  const bar = room >= 8 ? `${progress(share, room, style)}  ` : ''
  const numbers = [
    `${state.requestsPerSecond.toFixed(0)}/s`,
    `p99 ${duration(state.p99Ms)}`,
    `errors ${percent(state.errorRatio)}`,
  ].join('   ')
  const cutNumbers = cut(`  ${numbers}`, columns)
  return [
    headline(running, style),
    `  ${state.phase === 'fault' ? style.yellow(name) : name}  ${bar}${style.dim(cut(clock, columns - name.length - 4 - (bar ? room + 2 : 0)))}`,
    state.errorRatio > 0 ? style.red(cutNumbers) : cutNumbers,
    ...state.armed.map(fault => style.yellow(cut(`  ↯ ${printable(fault)}`, columns))),
    ...state.firing.map(objective => style.red(cut(`  ! page firing: ${printable(objective)}`, columns))),
  ]
}

function headline(running: Running, style: Style): string {
  const columns = columnsOf(style)
  const position = `[${running.index + 1}/${running.count}] `
  const name = cut(running.name, columns - position.length)
  const title = cut(`  ${running.title}`, columns - position.length - textWidth(name))
  return `${style.dim(position)}${style.bold(name)}${style.dim(title)}`
}

function progress(share: number, columns: number, style: Style): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * columns)
  return `${'━'.repeat(filled)}${style.dim('─'.repeat(columns - filled))}`
}

/** A column is left free: a full line would wrap in some terminals and break the block. */
function columnsOf(style: Style): number {
  return Math.max(1, (style.columns ?? 80) - 1)
}

const stillnessMs = 5000

function plainView({ stderr, env, clock }: World): LiveView {
  const style = styleFor(stderr, env)
  const say = (text: string) => stderr.write(`${text}\n`)
  let phase = ''
  let armed: string[] = []
  let firing: string[] = []
  let saidAt = clock.now()

  return {
    note: text => say(printable(text)),
    experimentBegins({ name, title, index, count, totalMs }) {
      phase = ''
      armed = []
      firing = []
      say(
        `[${index + 1}/${count}] ${style.bold(printable(name))}: ${printable(title)} ${style.dim(`(${duration(totalMs)})`)}`,
      )
    },
    tick(state) {
      const lines = [
        ...(state.phase === phase ? [] : [`${state.phase} begins, ${duration(state.phaseEndsInMs)} long`]),
        ...fresh(state.armed, armed).map(fault => `fault armed: ${fault}`),
        ...fresh(armed, state.armed).map(fault => `fault ended: ${fault}`),
        ...fresh(state.firing, firing).map(objective => `page firing: ${objective}`),
        ...fresh(firing, state.firing).map(objective => `page resolved: ${objective}`),
      ]
      phase = state.phase
      armed = [...state.armed]
      firing = [...state.firing]
      if (lines.length === 0 && clock.now() - saidAt >= stillnessMs) {
        lines.push(
          `${state.phase}: ${state.requestsPerSecond.toFixed(0)}/s, p99 ${duration(state.p99Ms)}, errors ${percent(state.errorRatio)}`,
        )
      }
      if (lines.length === 0) return
      saidAt = clock.now()
      for (const line of lines) say(`  ${seconds(state.elapsedMs).padStart(6)}  ${printable(line)}`)
    },
    experimentEnds: report => endLines(report, style).forEach(say),
  }
}

function endLines(report: ExperimentReport, style: Style): string[] {
  return [
    `${verdictText(report.verdict, style)}  ${style.bold(printable(report.name))}`,
    ...report.reasons.map(reason => `  → ${printable(reason)}`),
  ]
}

function fresh(now: string[], before: string[]): string[] {
  return now.filter(item => !before.includes(item))
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
}
