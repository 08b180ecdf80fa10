export const thresholds: Record<string, string[]>
export function judge(
  response: { status: number; timings: { duration: number } },
  request: { service: string; method: string; route: string },
): void
