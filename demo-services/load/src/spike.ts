// All come at once, and go again: does the shop come back too.
import { arrivals } from './arrivals.ts'

export { journey, setup } from './journeys.ts'
export const options = arrivals([
  { rate: 40, seconds: 30 },
  { rate: 200, seconds: 10 },
  { rate: 200, seconds: 30 },
  { rate: 40, seconds: 10 },
  { rate: 40, seconds: 60 },
])
