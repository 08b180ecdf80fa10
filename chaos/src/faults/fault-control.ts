import {
  type ArmRequest,
  authorizationOf,
  type FaultList,
  type FaultStatus,
  type LeaseRequest,
} from '@shaketable/sdk/faults'
import { ShaketableError } from '@shaketable/slo'
import type { Instance } from '../targets/target.ts'
import type { Clock } from '../world.ts'

const callTimeoutMs = 2000
const retryMs = 100

interface Counts {
  seen: number
  hit: number
  expected: number
}

const none: Counts = { seen: 0, hit: 0, expected: 0 }

/** The client of one instance's fault-control listener (`@shaketable/sdk/faults` has the wire types). */
export class FaultControl {
  readonly #instance: Instance
  readonly #leaseMs: number
  readonly #clock: Clock
  /** Counts of the lives that ended, and of the life that goes on. */
  #before = none
  #now = none
  #disarmed = false

  constructor(instance: Instance, leaseMs: number, clock: Clock) {
    this.#instance = instance
    this.#leaseMs = leaseMs
    this.#clock = clock
  }

  async arm(id: string, request: ArmRequest): Promise<void> {
    const answer = await this.#call('PUT', `/faults/${id}`, request)
    if (answer.status !== 200) throw this.#refused(`arm ${id}`, answer)
    this.#startLife()
  }

  /** Renews the lease, or arms again where the instance has started anew. An instance that is down is left alone. */
  async renew(id: string, request: () => ArmRequest): Promise<void> {
    if (this.#disarmed) return
    const lease: LeaseRequest = { ids: [id], leaseMs: this.#leaseMs }
    const answer = await this.#call('POST', '/lease', lease).catch(() => undefined)
    if (answer?.status === 200) this.#read(id, answer.body as FaultList)
    else if (answer?.status === 404 && !this.#disarmed) await this.arm(id, request()).catch(() => {})
  }

  /** What is armed there at this moment, whoever armed it; `undefined` where nobody answers. */
  async armed(): Promise<FaultStatus[] | undefined> {
    const answer = await this.#call('GET', '/faults', undefined).catch(() => undefined)
    return answer?.status === 200 ? (answer.body as FaultList).faults : undefined
  }

  async counts(id: string): Promise<Counts> {
    if (!this.#disarmed) {
      const status = (await this.armed())?.find(fault => fault.id === id)
      if (status) this.#now = countsOf(status)
    }
    return sumOf(this.#before, this.#now)
  }

  /** Resolves when the fault is proven gone: disarmed, not known there, or its process ended. */
  async disarm(id: string): Promise<void> {
    if (this.#disarmed) return
    this.#disarmed = true
    const pid = this.#instance.pid
    const leaseEnds = this.#clock.now() + this.#leaseMs
    for (;;) {
      const outcome = await this.#call('DELETE', `/faults/${id}`, undefined).catch((error: Error) => error)
      if (!(outcome instanceof Error)) {
        if (outcome.status === 200) this.#now = countsOf(outcome.body as FaultStatus)
        if (outcome.status === 200 || outcome.status === 404) return
        throw this.#refused(`disarm ${id}`, outcome)
      }
      if (this.#instance.pid === undefined || this.#instance.pid !== pid) return
      if (this.#clock.now() > leaseEnds + callTimeoutMs) {
        throw new ShaketableError(
          'SHAKETABLE_NOT_UNDONE',
          `${id}: ${outcome.message}, so nothing proves that the fault is gone; its lease of ${this.#leaseMs} ms has run out`,
          { exitCode: 4, cause: outcome },
        )
      }
      await this.#clock.sleep(retryMs)
    }
  }

  #startLife() {
    this.#before = sumOf(this.#before, this.#now)
    this.#now = none
  }

  #read(id: string, list: FaultList) {
    const status = list.faults.find(fault => fault.id === id)
    if (status) this.#now = countsOf(status)
  }

  #refused(what: string, answer: { status: number; body: unknown }): ShaketableError {
    const said = (answer.body as { error?: string } | undefined)?.error ?? 'no reason given'
    return new ShaketableError(
      'SHAKETABLE_FAULT_REFUSED',
      `${this.#instance.id} refused to ${what}: status ${answer.status}, ${said}`,
    )
  }

  async #call(method: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
    const control = this.#instance.faultControl
    if (!control) {
      throw new ShaketableError(
        'SHAKETABLE_NO_FAULT_CONTROL',
        `${this.#instance.id} has no fault control: it runs without the SDK`,
        { hint: 'start it with `node --import @shaketable/sdk/register …`, or choose a kill instead' },
      )
    }
    const text = body === undefined ? '' : JSON.stringify(body)
    const call = { method, path, body: text }
    const response = await fetch(new URL(path, control.url), {
      method,
      headers: {
        authorization: authorizationOf(call, control.key, this.#clock.wall()),
        'content-type': 'application/json',
      },
      body: text || null,
      signal: AbortSignal.timeout(callTimeoutMs),
    }).catch((error: Error) => {
      throw unanswered(this.#instance.id, control.url, error)
    })
    const said = await response.text()
    return { status: response.status, body: said ? JSON.parse(said) : undefined }
  }
}

const distrusted = /CERT|ISSUER|LEAF_SIGNATURE/

/** `fetch` itself says no more than that it failed. */
function unanswered(id: string, url: string, error: Error): ShaketableError {
  const { code = '', message = error.message } = (error.cause ?? {}) as NodeJS.ErrnoException
  const hint = distrusted.test(code) ? 'NODE_EXTRA_CA_CERTS=ca.pem has the authority of your own trusted' : undefined
  const words = `fault control of ${id} cannot be called at ${url}: ${message}`
  return new ShaketableError('SHAKETABLE_NO_FAULT_CONTROL', words, { cause: error, ...(hint && { hint }) })
}

function countsOf({ seen, hit, expected }: FaultStatus): Counts {
  return { seen, hit, expected }
}

function sumOf(a: Counts, b: Counts): Counts {
  return { seen: a.seen + b.seen, hit: a.hit + b.hit, expected: a.expected + b.expected }
}
