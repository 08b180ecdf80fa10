import { gunzip, gzip, type ZlibOptions } from 'node:zlib'

/** The body of one export request. */
export interface Message {
  bytes: Buffer
  gzip: boolean
}

/** Spans of one service repeat themselves: fast is small enough. Off the main thread, as everything of zlib without `Sync`. */
const fast: ZlibOptions = { level: 2 }

export async function pack({ bytes, gzip: packed }: Message): Promise<Message> {
  return packed ? { bytes, gzip: true } : { bytes: await through(done => gzip(bytes, fast, done)), gzip: true }
}

export async function unpack({ bytes, gzip: packed }: Message): Promise<Message> {
  return packed ? { bytes: await through(done => gunzip(bytes, done)), gzip: false } : { bytes, gzip: false }
}

function through(work: (done: (error: Error | null, result: Buffer) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => work((error, result) => (error ? reject(error) : resolve(result))))
}
