import { exitCode, type Objective, objectiveAlert, ShaketableError } from '@shaketable/slo'
import type { AlertTransition } from '../verdict/observations.ts'
import type { Clock } from '../world.ts'

const askEveryMs = 500
const timeoutMs = 2000
/** One answer may be lost to anything. */
const failuresToTell = 3

/** Where the alerts come from that are judged: what would page, in place of our own evaluation of the same rules. */
export interface AlertEngine {
  kind: 'prometheus' | 'alertmanager'
  url: string
}

/** A firing alert, by its labels. */
type Labels = Record<string, string>

/** Asks twice a second what fires in a Prometheus, or in an Alertmanager that silences and inhibits, and notes what changes. */
export class AlertWatch {
  readonly alerts: AlertTransition[] = []
  /** Why the alerts may not be known, in a sentence. */
  trouble: string | undefined
  readonly #engine: AlertEngine
  readonly #objectives: ReadonlySet<string>
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  #firing = new Map<string, Labels>()
  #failures = 0
  #loop: Promise<void> | undefined

  constructor(engine: AlertEngine, objectives: readonly Objective[], clock: Clock) {
    this.#engine = engine
    this.#objectives = new Set(objectives.map(({ name }) => name))
    this.#clock = clock
  }

  /** What fires already is noted as beginning now. */
  async start(): Promise<void> {
    await this.ask()
    this.#loop = (async () => {
      while (!this.#stopping.signal.aborted) {
        await this.#clock.sleep(askEveryMs, this.#stopping.signal).catch(() => {})
        if (!this.#stopping.signal.aborted) await this.ask()
      }
    })()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  /** Whose page fires at this moment. */
  firing(): string[] {
    return [...new Set([...this.#firing.values()].filter(isPage).map(labels => this.#nameOf(labels)))]
  }

  async ask(): Promise<void> {
    let found: Labels[]
    try {
      found = await firingIn(this.#engine)
      this.#failures = 0
    } catch (error) {
      this.#failures++
      if (this.#failures === failuresToTell) {
        this.trouble = `${this.#engine.kind} could not be asked for its alerts: ${(error as Error).message}`
      }
      return
    }
    const now = new Map(found.map(labels => [keyOf(labels), labels]))
    for (const [key, labels] of now) if (!this.#firing.has(key)) this.#note(labels, 'firing')
    for (const [key, labels] of this.#firing) if (!now.has(key)) this.#note(labels, 'resolved')
    this.#firing = now
  }

  #note(labels: Labels, state: AlertTransition['state']): void {
    const severity = isPage(labels) ? 'page' : 'ticket'
    const window = labels.window ?? labels.alertname ?? ''
    this.alerts.push({ at: this.#clock.now(), objective: this.#nameOf(labels), severity, window, state })
  }

  /** The objective whose alert it is; of any other alert its own name. */
  #nameOf({ alertname = 'an alert without a name', slo }: Labels): string {
    return alertname === objectiveAlert.burn && slo !== undefined && this.#objectives.has(slo) ? slo : alertname
  }
}

const isPage = ({ severity }: Labels): boolean => /^(?:page|critical)$/i.test(severity ?? '')

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function firingIn({ kind, url }: AlertEngine): Promise<Labels[]> {
  const path = kind === 'prometheus' ? 'api/v1/alerts' : 'api/v2/alerts?active=true&silenced=false&inhibited=false'
  const response = await fetch(new URL(path, url.endsWith('/') ? url : `${url}/`), {
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (!response.ok) throw new Error(`it answered ${response.status}`)
  if (kind === 'alertmanager') {
    return ((await response.json()) as { labels: Labels }[]).map(({ labels }) => labels)
  }
  const { data } = (await response.json()) as { data: { alerts: { labels: Labels; state: string }[] } }
  return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels)
}

/** Refuses before anything is started where nobody answers as the engine should. */
export async function mustAnswerWithAlerts(engine: AlertEngine): Promise<void> {
  try {
    await firingIn(engine)
  } catch (cause) {
    const reason = ((cause as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? (cause as Error).message
    throw new ShaketableError(
      'SHAKETABLE_NO_ALERTS',
      `${engine.kind} at ${engine.url} does not tell its alerts: ${reason}`,
      {
        exitCode: exitCode.invalidInput,
        hint: `give --${engine.kind} its base URL; nothing was started`,
        cause,
      },
    )
  }
}
