import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process as the kernel shows it now. */
export interface SeenProcess {
  pid: number
  ppid: number
  pgid: number
  /** The session; 0 where the system does not tell (macOS). */
  sid: number
  /** When it began, in the kernel's own words: with the pid, it names one process and never another. */
  startTime: string
  /** Stopped by a signal, as `freeze` does. */
  stopped: boolean
  /** Dead, and not yet collected by its parent. */
  zombie: boolean
}

/** What names a process for good (on one boot of one machine). */
export interface ProcessIdentity {
  pid: number
  startTime: string
}

const linux = process.platform === 'linux'

/** The process with this pid, dead or alive, or `undefined`. */
export function seeProcess(pid: number): SeenProcess | undefined {
  if (!linux) return readPs(['-p', String(pid)])[0]
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

/** Every process of the machine that we may see. */
export function seeProcesses(): SeenProcess[] {
  if (!linux) return readPs(['-ax'])
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => seeProcess(Number(name)) ?? [])
}

/** Whether this very process is alive; a zombie is not, nor is a stranger with its pid. */
export function isAlive(identity: ProcessIdentity): boolean {
  const seen = seeProcess(identity.pid)
  return seen !== undefined && seen.startTime === identity.startTime && !seen.zombie
}

/**
 * Sends a signal after proving, in the same tick, that the pid is still the same process. Returns whether it was sent:
 * false means that the process is gone.
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isAlive(identity) && send(identity.pid, signal)
}

/** The same for the whole process group that `leader` leads. */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): boolean {
  const seen = seeProcess(leader.pid)
  if (seen?.startTime !== leader.startTime || seen.pgid !== leader.pid) return false
  return send(-leader.pid, signal)
}

/**
 * The environment with which a process was started, as `NAME=value` strings: empty where the process has overwritten it
 * (PostgreSQL's backends), `undefined` where it cannot be read (another user's process; macOS).
 */
export function environmentOf(pid: number): string[] | undefined {
  if (!linux) return undefined
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').filter(Boolean)
  } catch {
    return undefined
  }
}

/** Names this boot of this machine, and the pid namespace (container) within it: where a pid means something. */
export function hereAndNow(): { boot: string; pidNamespace: string } {
  if (linux) {
    return {
      boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
      pidNamespace: readlinkSync('/proc/self/ns/pid'),
    }
  }
  return {
    boot: execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'latin1' }).trim(),
    pidNamespace: '',
  }
}

/** `pid (name) state ppid pgrp session …`, where the name may hold spaces and parentheses; see proc_pid_stat(5). */
export function parseStat(line: string): SeenProcess {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => fields[number - 3] as string
  return {
    pid: Number.parseInt(line, 10),
    ppid: Number(field(4)),
    pgid: Number(field(5)),
    sid: Number(field(6)),
    startTime: field(22),
    stopped: field(3) === 'T',
    zombie: field(3) === 'Z' || field(3) === 'X',
  }
}

/** macOS and the BSDs. `lstart` counts in seconds: a pid taken again within its second would go unseen. */
function readPs(which: string[]): SeenProcess[] {
  try {
    const options = [...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart=']
    return parsePs(execFileSync('ps', options, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    return []
  }
}

/** The output of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePs(output: string): SeenProcess[] {
  return output.split('\n').flatMap(line => {
    const [, pid, ppid, pgid, state = '', startTime] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? []
    if (startTime === undefined) return []
    return {
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      sid: 0,
      startTime,
      stopped: state.startsWith('T'),
      zombie: state.startsWith('Z'),
    }
  })
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
