export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

/** A logger of pino or winston: its level may be set at any time. */
export interface Leveled {
  level: string
}

/** What a library calls the levels that it calls otherwise. */
export type LevelNames = Partial<Record<LogLevel, string>>

interface Met {
  logger: WeakRef<Leveled>
  names: LevelNames
}

/**
 * Every logger of the process, by weak references, so that one command can set all their levels for a while. A logger that
 * is made meanwhile gets that level, too; one whose app sets its level meanwhile keeps what the app has set.
 */
export class LogLevels {
  #met: Met[] = []
  #sweepAt = 512
  #now: LogLevel | undefined
  #until = 0
  #timer: NodeJS.Timeout | undefined
  #setting = false
  /** The level that each logger has of itself, while another one is set. */
  #own = new WeakMap<Leveled, string>()

  /** Where a library has given a logger its level, at its birth or later. */
  leveled(logger: Leveled, isNew: boolean, names: LevelNames = {}): void {
    if (this.#setting) return
    if (!isNew) return void this.#own.delete(logger)
    if (this.#met.length >= this.#sweepAt) this.#sweep()
    const met = { logger: new WeakRef(logger), names }
    this.#met.push(met)
    if (this.#now) this.#set(met, this.#now)
  }

  get state(): { level: LogLevel | 'own'; remainingMs: number } {
    const remainingMs = this.#now ? Math.max(0, Math.round(this.#until - performance.now())) : 0
    return { level: this.#now ?? 'own', remainingMs }
  }

  /** Sets all loggers; after `forMs` each has its own level again. Returns how many were set. */
  set(level: LogLevel, forMs: number): number {
    this.restore()
    this.#now = level
    this.#until = performance.now() + forMs
    this.#timer = setTimeout(() => this.restore(), forMs).unref()
    return this.#met.filter(met => this.#set(met, level)).length
  }

  restore(): void {
    clearTimeout(this.#timer)
    this.#now = undefined
    for (const { logger } of this.#met) {
      const met = logger.deref()
      const own = met && this.#own.get(met)
      if (own !== undefined) this.#quietly(() => (met!.level = own))
    }
    this.#own = new WeakMap()
  }

  /** False for a logger that is gone, or that has levels of its own making. */
  #set({ logger, names }: Met, level: LogLevel): boolean {
    const met = logger.deref()
    if (!met) return false
    const own = met.level
    if (!this.#quietly(() => (met.level = names[level] ?? level))) return false
    this.#own.set(met, own)
    return true
  }

  #quietly(work: () => void): boolean {
    this.#setting = true
    try {
      work()
      return true
    } catch {
      return false
    } finally {
      this.#setting = false
    }
  }

  #sweep(): void {
    this.#met = this.#met.filter(({ logger }) => logger.deref())
    this.#sweepAt = Math.max(512, this.#met.length * 2)
  }
}
