/** Query members that are keys or signatures of a signed URL (OpenTelemetry semantic conventions). */
const signed =
  /(^|&)(AWSAccessKeyId|Signature|sig|X-Goog-Signature|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=[^&]*/g

/** The query, without its `?`, as `url.query` may show it. */
export function redactQuery(query: string): string {
  return query.replace(signed, '$1$2=REDACTED')
}

/** The URL as `url.full` may show it: no credentials, no signatures. */
export function redactUrl(url: URL): string {
  const shown = new URL(url)
  if (shown.username) shown.username = 'REDACTED'
  if (shown.password) shown.password = 'REDACTED'
  if (shown.search) shown.search = redactQuery(shown.search.slice(1))
  return shown.href
}
