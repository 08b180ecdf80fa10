import type { FaultSpec, ProcessFaultSpec, RequestFaultSpec } from '../experiment/model.ts'

const burdens: FaultSpec['kind'][] = ['stall', 'burn', 'memory']

/** Whether the SDK inside a process injects it, through its fault control. */
export function isInsideProcess(fault: FaultSpec): fault is RequestFaultSpec | ProcessFaultSpec {
  return 'percent' in fault || burdens.includes(fault.kind)
}
