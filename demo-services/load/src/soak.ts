// The ordinary day for two hours: what leaks shows itself.
import { arrivals } from './arrivals.ts'

export { journey, setup } from './journeys.ts'
export const options = arrivals([
  { rate: 40, seconds: 60 },
  { rate: 40, seconds: 7200 },
])
