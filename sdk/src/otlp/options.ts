export interface OtlpOptions {
  /** The full URL that is posted to; with `grpc` only its scheme, host and port count. */
  endpoint: string
  headers: Record<string, string>
  protocol: 'http/protobuf' | 'http/json' | 'grpc'
  timeoutMs: number
  compression: 'gzip' | 'none'
  tls?: OtlpTls
}

/** For `https`, in PEM. */
export interface OtlpTls {
  /** The authorities that the collector's certificate is trusted by, instead of Node's own. */
  ca?: Buffer | undefined
  /** What the SDK shows of itself to a collector that asks. */
  key?: Buffer | undefined
  cert?: Buffer | undefined
}
