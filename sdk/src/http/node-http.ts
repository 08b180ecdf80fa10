/**
 * Node's HTTP modules. To `import` one of them would read all that it exports, `WebSocket` among it, and that loads the whole of
 * undici: 25 ms and 8 MB of every start.
 */
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
