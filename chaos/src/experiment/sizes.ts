import { expecting } from '@shaketable/slo'
import { z } from 'zod'

const unitBytes = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const
const amount = String.raw`\d{1,9}(?:\.\d{1,3})?\s?(?:B|KB|MB|GB|KiB|MiB|GiB)`

function bytesOf(text: string): number {
  const unit = /[A-Za-z]+/.exec(text)![0] as keyof typeof unitBytes
  return Math.round(Number.parseFloat(text) * unitBytes[unit])
}

const aSize = 'a size such as "500B", "64KB" or "256MiB"'

/** Text such as `64KB`, read as bytes. */
export function size({ atLeastBytes = 0 } = {}) {
  return z
    .string({ error: expecting(aSize) })
    .regex(new RegExp(`^${amount}$`), { error: expecting(aSize) })
    .meta({ examples: ['500B', '64KB', '256MiB'] })
    .transform(bytesOf)
    .refine(bytes => bytes >= atLeastBytes, { error: `expected a size of at least ${atLeastBytes} B` })
}

const aByteRate = 'a rate of bytes such as "64KB/s"'

/** Text such as `64KB/s`, read as bytes a second. */
export function byteRate() {
  return z
    .string({ error: expecting(aByteRate) })
    .regex(new RegExp(`^${amount}\\s?/\\s?s$`), { error: expecting(aByteRate) })
    .meta({ examples: ['500B/s', '64KB/s'] })
    .transform(bytesOf)
    .refine(bytes => bytes >= 1, { error: 'expected a rate of at least 1 B/s' })
}

/** `64 KB`, `1.5 MB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GB', 'MB', 'KB'] as const) {
    if (bytes >= unitBytes[unit]) return `${Number((bytes / unitBytes[unit]).toFixed(2))} ${unit}`
  }
  return `${bytes} B`
}
