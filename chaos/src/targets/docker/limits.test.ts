import type { ContainerInspectInfo } from 'dockerode'
import { expect, test } from 'vitest'
import { limitsFor } from './limits.ts'

const of = (HostConfig: object, cpus?: number, memoryBytes?: number) =>
  limitsFor({ HostConfig } as ContainerInspectInfo, { cpus, memoryBytes })

test('only what is limited is changed and taken back', () => {
  expect(of({}, 0.5)).toEqual({
    limits: { CpuPeriod: 100_000, CpuQuota: 50_000 },
    undo: { CpuPeriod: 100_000, CpuQuota: -1 },
  })
  expect(() => of({}, undefined, 1e8)).toThrow('has no limit of memory')
})

test('limits that were there come back, CPU in the unit in which it stood', () => {
  expect(of({ NanoCpus: 2e9, Memory: 5e8, MemorySwap: 6e8 }, 0.25, 1e8)).toEqual({
    limits: { NanoCpus: 25e7, Memory: 1e8, MemorySwap: 1e8 },
    undo: { NanoCpus: 2e9, Memory: 5e8, MemorySwap: 6e8 },
  })
  expect(of({ CpuPeriod: 50_000, CpuQuota: 40_000 }, 0.1).undo).toEqual({ CpuPeriod: 50_000, CpuQuota: 40_000 })
})
