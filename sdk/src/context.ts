import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Context, type ContextManager, createContextKey, ROOT_CONTEXT, type Span } from '@opentelemetry/api'

const storage = new AsyncLocalStorage<Context>()

const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/**
 * A context that holds one value more than the one under it. OpenTelemetry's own copies a map and makes three functions for
 * each: too dear for every request.
 */
class OneMore implements Context {
  readonly #under: Context
  readonly #key: symbol
  readonly #value: unknown

  constructor(under: Context, key: symbol, value: unknown) {
    this.#under = under
    this.#key = key
    this.#value = value
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#under.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new OneMore(this.#without(key), key, value)
  }

  deleteValue(key: symbol): Context {
    const rest = this.#without(key)
    return rest.getValue(key) === undefined ? rest : new OneMore(rest, key, undefined)
  }

  /** Each key stands in it once, or a span in a span in a span would hold all that ever were. */
  #without(key: symbol): Context {
    if (key === this.#key) return this.#under
    if (!(this.#under instanceof OneMore)) return this
    const under = this.#under.#without(key)
    return under === this.#under ? this : new OneMore(under, this.#key, this.#value)
  }
}

// The keys that every OpenTelemetry package uses: they are registered symbols, so the description is the identity.
const spanKey = createContextKey('OpenTelemetry Context Key SPAN')

/** As `trace.setSpan`. */
export function contextOf(span: Span, under: Context): Context {
  return under instanceof OneMore ? under.setValue(spanKey, span) : new OneMore(under, spanKey, span)
}

/** As `trace.getSpan`. */
export function spanOf(context: Context): Span | undefined {
  return context.getValue(spanKey) as Span | undefined
}

const requestKey = createContextKey('shaketable.request')

/** Remembers the span of the request that is being answered, however many of the app's lie between it and what is active. */
export function inCourseOf(request: Span, under: Context): Context {
  return new OneMore(under, requestKey, request)
}

/** The span of the request in whose course this happens. Known only where faults are enabled. */
export function requestSpanOf(context: Context): Span | undefined {
  return context.getValue(requestKey) as Span | undefined
}

/** The active context; the root when there is none. */
export function activeContext(): Context {
  return storage.getStore() ?? ROOT_CONTEXT
}

/** Makes `context` the active one for the rest of this synchronous run and everything that it starts. */
export function enterContext(context: Context): void {
  storage.enterWith(context)
}

/** Runs `work` with `context` active. */
export function withContext<Result>(context: Context, work: () => Result): Result {
  return storage.run(context, work)
}

/** Runs `work` so that nothing it does is traced or measured: the SDK's own traffic. */
export function untraced<Result>(work: () => Result): Result {
  return storage.run(ROOT_CONTEXT.setValue(suppressed, true), work)
}

export function isUntraced(context: Context): boolean {
  return context.getValue(suppressed) === true
}

/** OpenTelemetry's context on the one AsyncLocalStorage that the HTTP observer uses too. */
export class SharedContextManager implements ContextManager {
  active(): Context {
    return activeContext()
  }

  with<Args extends unknown[], Work extends (...args: Args) => ReturnType<Work>>(
    context: Context,
    work: Work,
    self?: ThisParameterType<Work>,
    ...args: Args
  ): ReturnType<Work> {
    return storage.run(context, () => work.call(self as ThisParameterType<Work>, ...args))
  }

  bind<Target>(context: Context, target: Target): Target {
    if (target instanceof EventEmitter) return bindEmitter(context, target)
    if (typeof target !== 'function') return target
    const bound = function (this: unknown, ...args: unknown[]) {
      return storage.run(context, () => target.apply(this, args))
    }
    Object.defineProperty(bound, 'length', { value: target.length, configurable: true })
    return bound as Target
  }

  attach(context: Context): { dispose(): void; [Symbol.dispose](): void } {
    const previous = activeContext()
    let attached = true
    storage.enterWith(context)
    const dispose = () => {
      if (!attached) return
      attached = false
      storage.enterWith(previous)
    }
    return { dispose, [Symbol.dispose]: dispose }
  }

  enable(): this {
    return this
  }

  disable(): this {
    storage.disable()
    return this
  }
}

function bindEmitter<Emitter extends EventEmitter>(context: Context, emitter: Emitter): Emitter {
  const emit = emitter.emit
  emitter.emit = function (this: Emitter, ...args: Parameters<typeof emit>) {
    return storage.run(context, () => emit.apply(this, args))
  }
  return emitter
}
