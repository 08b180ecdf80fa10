import { expect, it } from 'vitest'
import { environmentOf, isAlive, parsePs, parseStat, seeProcess, seeProcesses } from './process-table.ts'

it('reads a line of /proc/PID/stat, whatever stands in the name of the process', () => {
  const line = `4711 (a) R (b c) T 1 4711 4700 0 -1 4194304 ${'0 '.repeat(12)}987654 1000 10 0\n`
  expect(parseStat(line)).toEqual({
    pid: 4711,
    ppid: 1,
    pgid: 4711,
    sid: 4700,
    startTime: '987654',
    stopped: true,
    zombie: false,
  })
})

it('reads what ps prints where there is no /proc', () => {
  const output =
    '    1     0     1 Ss   Sat Nov 21 07:00:00 2026    \n 4711     1  4711 T+   Sat Nov 21 07:01:02 2026\n'
  expect(parsePs(output)).toMatchObject([
    { pid: 1, ppid: 0, pgid: 1, startTime: 'Sat Nov 21 07:00:00 2026', stopped: false },
    { pid: 4711, ppid: 1, pgid: 4711, startTime: 'Sat Nov 21 07:01:02 2026', stopped: true },
  ])
})

it('finds this process, with its parent, and not one that never was', () => {
  const self = seeProcess(process.pid)
  expect(self).toMatchObject({ pid: process.pid, ppid: process.ppid, stopped: false, zombie: false })
  expect(seeProcesses().map(({ pid }) => pid)).toContain(process.pid)
  expect(isAlive({ pid: process.pid, startTime: self?.startTime as string })).toBe(true)
  expect(isAlive({ pid: process.pid, startTime: 'another' })).toBe(false)
  expect(seeProcess(2 ** 22 + 1)).toBeUndefined()
})

it.runIf(process.platform === 'linux')('reads the environment with which a process was started', () => {
  expect(environmentOf(process.pid)?.some(entry => entry.startsWith('PATH='))).toBe(true)
  expect(environmentOf(2 ** 22 + 1)).toBeUndefined()
})
