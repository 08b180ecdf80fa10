// An ordinary day: what the objectives promise must hold.
import { arrivals } from './arrivals.ts'

export { journey, setup } from './journeys.ts'
export const options = arrivals([
  { rate: 40, seconds: 30 },
  { rate: 40, seconds: 300 },
  { rate: 0, seconds: 30 },
])
