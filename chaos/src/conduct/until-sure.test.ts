import { expect, test } from 'vitest'
import {
  begin,
  experimentOf,
  lengths,
  objectiveOf,
  phasesOf,
  ratePerSecond,
  sampleAt,
} from '../../bench/made-up-run.ts'
import type { Clock } from '../world.ts'
import { untilSure } from './until-sure.ts'

const faultMs = 24_000
const objectives = [objectiveOf('available', { target: 0.98 })]
const experiment = experimentOf({ experiment: { objectives, phases: { ...lengths, faultMs, endFaultWhenSure: true } } })
const { fault } = phasesOf(experiment.phases)
const status = (at: number, broken: boolean) => (broken && at >= fault.start ? 503 : 200)

function samplesOf(broken: boolean) {
  return Array.from({ length: 28 * ratePerSecond }, (_, index) => {
    const at = begin + (index * 1000) / ratePerSecond
    return sampleAt(at, 0, { status: status(at, broken) })
  })
}

function virtualClock(): Clock & { at: number } {
  return {
    at: fault.start,
    now() {
      return this.at
    },
    wall: () => 0,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      this.at += ms
    },
  }
}

async function ended(seen: { broken?: boolean; isArmed?: boolean; endFaultWhenSure?: boolean }) {
  const clock = virtualClock()
  const asked = { ...experiment, phases: { ...experiment.phases, endFaultWhenSure: seen.endFaultWhenSure ?? true } }
  const known = { samples: samplesOf(seen.broken ?? false), isArmed: () => seen.isArmed ?? true }
  const look = await untilSure(asked, fault, known, clock, new AbortController().signal)
  return { look, afterMs: clock.at - fault.start }
}

test('a fault phase is over once the last answer that a look judges could have come, and the verdict is sure', async () => {
  // Half of 24 s, the timeout of 2 s and a batch of samples.
  expect(await ended({})).toEqual({ look: 2, afterMs: 14_250 })
  expect(await ended({ broken: true })).toEqual({ look: 2, afterMs: 14_250 })
})

test('it lasts as planned where a fault is not armed, and where nobody asked for less', async () => {
  expect(await ended({ isArmed: false })).toEqual({ look: undefined, afterMs: faultMs })
  expect(await ended({ endFaultWhenSure: false })).toEqual({ look: undefined, afterMs: faultMs })
})
