// The `--import` entry. `OTEL_SDK_DISABLED=true` is looked at before anything else is loaded: then this file is all there is.
if (process.env.OTEL_SDK_DISABLED?.trim().toLowerCase() !== 'true') await import('./register-enabled.ts')

export {}
