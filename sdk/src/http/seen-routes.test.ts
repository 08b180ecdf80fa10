import { expect, test } from 'vitest'
import { SeenRoutes } from './seen-routes.ts'

function seen(...templates: string[]) {
  const routes = new SeenRoutes()
  for (const template of templates) routes.learn('GET', template)
  return (path: string, method = 'GET') => routes.fitting(method, path)
}

test('a path gets the template that fits it, whatever the case and a slash at its end', () => {
  const route = seen('/', '/orders', '/orders/:id', '/users/:user/orders/:id')
  expect(['/', '/orders', '/Orders/', '/orders/7', '/users/a%20b/orders/9'].map(path => route(path))).toEqual([
    '/',
    '/orders',
    '/orders',
    '/orders/:id',
    '/users/:user/orders/:id',
  ])
})

test('what fits no template has none, and never its own path', () => {
  const route = seen('/orders/:id')
  for (const path of ['/orders', '/orders/7/items', '/orders//', '/', '', '*', 'http://host/orders/7', '/ordersX/7'])
    expect(route(path)).toBeUndefined()
})

test('the closest of several wins: literal, constrained, parameter, wildcard', () => {
  const route = seen('/*rest', '/users/:name', '/users/:id(\\d+)', '/users/me', '/files/*', '/files/:name')
  expect(route('/users/me')).toBe('/users/me')
  expect(route('/users/42')).toBe('/users/:id(\\d+)')
  expect(route('/users/bo')).toBe('/users/:name')
  expect(route('/files/a')).toBe('/files/:name')
  expect(route('/files/a/b')).toBe('/files/*')
  expect(route('/elsewhere')).toBe('/*rest')
})

test('where none is closer than all others there is no route', () => {
  expect(seen('/a/:x', '/:y/b')('/a/b')).toBeUndefined()
  expect(seen('/:one', '/:other')('/a')).toBeUndefined()
  expect(seen('/a/:x', '/:y/b', '/a/b')('/a/b')).toBe('/a/b')
})

test('optional parts, several parameters in a segment, escapes and literal signs are read as Express reads them', () => {
  const optional4 = seen('/list/:page?')
  expect([optional4('/list'), optional4('/list/2')]).toEqual(['/list/:page?', '/list/:page?'])
  const optional5 = seen('/list{/:page}')
  expect([optional5('/list'), optional5('/list/2')]).toEqual(['/list{/:page}', '/list{/:page}'])
  expect(seen('/flights/:from-:to')('/flights/ZRH-LIS')).toBe('/flights/:from-:to')
  expect(seen('/v1.0/a')('/v1x0/a')).toBeUndefined()
  expect(seen('/jobs\\:run')('/jobs:run')).toBe('/jobs\\:run')
})

test('what cannot be read back from its text fits nothing', () => {
  expect(seen('/^\\/x[0-9]+$/i', '/^\\/y//:id')('/x1')).toBeUndefined()
})

test('methods are apart, and HEAD is answered by the routes of GET', () => {
  const route = seen('/orders/:id')
  expect(route('/orders/1', 'DELETE')).toBeUndefined()
  expect(route('/orders/1', 'HEAD')).toBe('/orders/:id')
})

test('what is kept is bounded', () => {
  const routes = new SeenRoutes()
  for (let at = 0; at < 3_000; at++) routes.learn('GET', `/made/${at}`)
  expect(routes.fitting('GET', '/made/1999')).toBe('/made/1999')
  expect(routes.fitting('GET', '/made/2000')).toBeUndefined()
})

test("Hapi's templates are read as Hapi reads them", () => {
  const routes = new SeenRoutes()
  const templates = [
    '/users/{user}/orders/{id}',
    '/users/me/orders/{id}',
    '/list/{page?}',
    '/files/{path*}',
    '/pair/{both*2}',
    '/a/{name}.{extension}',
  ]
  for (const template of templates) routes.learn('GET', template, 'hapi')
  const paths = ['/users/7/orders/9', '/users/me/orders/9', '/list', '/list/2', '/files/a/b', '/pair/a/b', '/a/b.html']
  expect(paths.map(path => routes.fitting('GET', path))).toEqual([
    '/users/{user}/orders/{id}',
    '/users/me/orders/{id}',
    '/list/{page?}',
    '/list/{page?}',
    '/files/{path*}',
    '/pair/{both*2}',
    '/a/{name}.{extension}',
  ])
  for (const path of ['/Users/7/orders/9', '/users/7/orders/9/', '/pair/a', '/pair/a/b/c', '/a/b'])
    expect(routes.fitting('GET', path)).toBeUndefined()
})
