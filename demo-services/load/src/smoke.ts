// Does it work at all: a few users, half a minute.
import { arrivals } from './arrivals.ts'

export { journey, setup } from './journeys.ts'
export const options = arrivals([{ rate: 4, seconds: 30 }])
