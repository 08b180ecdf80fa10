import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instance, InstanceEvent, Target } from '../src/targets/target.ts'

/** A target at work, and what a test has to know to look at it from outside. */
export interface TargetUnderTest {
  target: Target
  /** Starts the target's system: one service of two replicas or more. */
  start(signal?: AbortSignal): Promise<void>
  service: string
  /** Longer than a restart takes, in ms. */
  restartWithinMs: number
  /** Whether an instance works right now: it answers a request of its own. */
  answers(instance: Instance): Promise<boolean>
  /** Whether it starts its instances itself, and so ends them; else it finds them running, and leaves them so. */
  startsThem: boolean
  /** Whether an instance can be frozen; where it cannot, the target says why beforehand. */
  freezes: boolean
  /** How many instances it would leave behind: alive, where it started them; else frozen or down. */
  countLeft(): number | Promise<number>
}

/** What every target does, whatever it runs: `describeTarget('local', make)` in the target's own test file. */
export function describeTarget(name: string, make: () => Promise<TargetUnderTest>): void {
  describe(`the ${name} target`, () => {
    let subject: TargetUnderTest
    let events: InstanceEvent[]

    beforeEach(async () => {
      subject = await make()
      const own: InstanceEvent[] = []
      events = own
      subject.target.events(event => own.push(event))
      await subject.start()
    })
    afterEach(() => subject.target.stop())

    const replicas = () => subject.target.instances(subject.service)
    const first = () => replicas()[0] as Instance
    const kindsOf = (instance: Instance) =>
      events.filter(event => event.instance === instance.id).map(({ kind }) => kind)
    const startedAgain = (instance: Instance, before: number | undefined) =>
      expect
        .poll(async () => instance.pid !== before && (await subject.answers(instance)), {
          timeout: subject.restartWithinMs,
        })
        .toBe(true)

    it('has every instance up, with ids and URLs of their own, once it has started', async () => {
      expect(replicas().length).toBeGreaterThanOrEqual(2)
      expect(new Set(replicas().map(({ id }) => id)).size).toBe(replicas().length)
      expect(new Set(subject.target.urls(subject.service)).size).toBe(replicas().length)
      for (const instance of replicas()) {
        await expect.poll(() => subject.answers(instance)).toBe(true)
        expect(kindsOf(instance)).toEqual(['started', 'ready'])
      }
      expect(subject.target.instances('nobody')).toEqual([])
    })

    it('crashes one instance only, and starts it again under its id and URL', async () => {
      const [victim, other] = replicas() as [Instance, Instance]
      const [before, otherBefore, urls] = [victim.pid, other.pid, subject.target.urls(subject.service)]
      await victim.crash()
      await startedAgain(victim, before)
      expect(other.pid).toBe(otherBefore)
      expect(subject.target.urls(subject.service)).toEqual(urls)
      expect(kindsOf(victim).slice(0, 4)).toEqual(['started', 'ready', 'exited', 'started'])
      expect(events.find(({ kind }) => kind === 'exited')?.detail).toMatch(/SIGKILL/)
    })

    it('terminates an instance within its grace, and starts it again', async () => {
      const before = first().pid
      await first().terminate(5000)
      expect(events.find(({ kind }) => kind === 'exited')?.detail).not.toMatch(/SIGKILL/)
      await startedAgain(first(), before)
    })

    it('keeps an instance down until it is brought up again, where the target can', async () => {
      const victim = first()
      if (!victim.takeDown) return
      const before = victim.pid
      await victim.takeDown(5000)
      expect(await subject.answers(victim)).toBe(false)
      expect(victim.pid).toBeUndefined()
      await victim.bringUp?.()
      await startedAgain(victim, before)
      await victim.bringUp?.()
      expect(kindsOf(victim).slice(0, 4)).toEqual(['started', 'ready', 'exited', 'started'])
    })

    it('freezes an instance, so that it answers nothing, and resumes the same one', async () => {
      const before = first().pid
      if (!subject.freezes) {
        const anywhere = { id: 'x', service: subject.service, startMs: 0, durationMs: 1, instances: 1 }
        const place = { file: 'experiment.yaml', line: 1, column: 1 }
        expect(subject.target.refuses?.({ ...anywhere, kind: 'freeze', place })).toMatch(/./)
        await expect(first().freeze()).rejects.toThrow(first().id)
        expect(await subject.answers(first())).toBe(true)
        return
      }
      await first().freeze()
      expect(await subject.answers(first())).toBe(false)
      await first().resume()
      // What waited while it was frozen goes first.
      await expect.poll(() => subject.answers(first()), { timeout: 10_000 }).toBe(true)
      expect(first().pid).toBe(before)
      expect(kindsOf(first())).toEqual(['started', 'ready', 'frozen', 'resumed'])
    })

    it('has nothing to resume where nothing is frozen', async () => {
      await first().resume()
      expect(kindsOf(first())).toEqual(['started', 'ready'])
    })

    it('stops all, also what is frozen or between two lives, and a second time at no cost', async () => {
      const [frozen, crashed] = replicas() as [Instance, Instance]
      if (subject.freezes) await frozen.freeze()
      await crashed.crash()
      await subject.target.stop()
      await subject.target.stop()
      expect(await subject.countLeft()).toBe(0)
      if (subject.startsThem) expect(replicas().map(({ pid }) => pid)).toEqual(replicas().map(() => undefined))
    })
  })
}
