// What `--require @shaketable/sdk/register` gets: the SDK starts asynchronously, and `--require` waits for nothing.
if (process.env.OTEL_SDK_DISABLED?.trim().toLowerCase() !== 'true') {
  process.stderr.write(
    'shaketable: --require cannot start the SDK, and the service runs without it: use node --import @shaketable/sdk/register\n',
  )
}
