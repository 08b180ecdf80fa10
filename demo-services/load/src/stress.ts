// The busiest hour of the year: twice the ordinary day, then three times.
import { arrivals } from './arrivals.ts'

export { journey, setup } from './journeys.ts'
export const options = arrivals([
  { rate: 80, seconds: 60 },
  { rate: 80, seconds: 300 },
  { rate: 120, seconds: 60 },
  { rate: 120, seconds: 300 },
  { rate: 0, seconds: 60 },
])
