// More and more, until an objective is missed: the rate of that moment is what the shop can take.
import { arrivals } from './arrivals.ts'

export { journey, setup } from './journeys.ts'
export const options = arrivals([{ rate: 1000, seconds: 1200 }], { untilMissed: true })
