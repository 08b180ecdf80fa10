import { describe, expect, test } from 'vitest'
import { describePackage, detect, detectorNames, type Surroundings } from './detectors.ts'

const around = (files: Record<string, string> = {}, more: Partial<Surroundings> = {}): Surroundings => ({
  env: {},
  script: '/srv/shop/orders/src/main.ts',
  cwd: '/srv/shop',
  hostname: 'orders-7d9f',
  read: path => files[path],
  ...more,
})
const id = 'c01d'.repeat(16)
const uid = '2f6c1f7a-0c3e-4d6b-9c43-6f8a54b1a0de'

describe('the container', () => {
  test.each([
    ['Docker, cgroup v1', '/proc/self/cgroup', `12:pids:/docker/${id}\n0::/system\n`],
    ['systemd, cgroup v1', '/proc/self/cgroup', `1:name=systemd:/system.slice/docker-${id}.scope\n`],
    ['containerd in Kubernetes', '/proc/self/cgroup', `0::/kubepods/burstable/pod${uid}/cri-containerd-${id}.scope\n`],
    ['Docker, cgroup v2', '/proc/self/mountinfo', `1 2 0:1 /docker/containers/${id}/hostname /etc/hostname rw\n`],
    ['podman', '/proc/self/mountinfo', `1 2 0:1 /overlay-containers/${id}/userdata/hostname /etc/hostname rw\n`],
  ])('by %s', (_runtime, path, text) => {
    expect(detect(['container'], around({ [path]: text }))).toEqual({ 'container.id': id })
  })

  test('none', () => {
    const files = { '/proc/self/cgroup': '0::/\n', '/proc/self/mountinfo': '1 2 0:1 / / rw - ext4 /dev/sda rw\n' }
    expect(detect(['container'], around(files))).toEqual({})
  })
})

describe('Kubernetes', () => {
  const files = {
    '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'shop\n',
    '/proc/self/mountinfo': `1 2 0:1 /var/lib/kubelet/pods/${uid}/etc-hosts /etc/hosts rw\n`,
  }
  const inPod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }

  test('from its files', () => {
    expect(detect(['kubernetes'], around(files, { env: inPod }))).toEqual({
      'k8s.namespace.name': 'shop',
      'k8s.pod.name': 'orders-7d9f',
      'k8s.pod.uid': uid,
    })
  })

  test('from the downward API, which wins', () => {
    const env = {
      ...inPod,
      POD_NAME: 'orders-0',
      K8S_NODE_NAME: 'node-3',
      POD_NAMESPACE: 'other',
      CONTAINER_NAME: 'app',
    }
    expect(detect(['kubernetes'], around(files, { env }))).toEqual({
      'k8s.namespace.name': 'other',
      'k8s.pod.name': 'orders-0',
      'k8s.pod.uid': uid,
      'k8s.node.name': 'node-3',
      'k8s.container.name': 'app',
    })
  })

  test('outside of a cluster such variables mean nothing', () => {
    expect(detect(['kubernetes'], around(files, { env: { POD_NAME: 'a' } }))).toEqual({})
  })
})

test('the process is told without its arguments, which may hold secrets', () => {
  const found = detect(detectorNames, around())
  expect(found).toMatchObject({ 'process.command': '/srv/shop/orders/src/main.ts', 'host.name': 'orders-7d9f' })
  expect(Object.keys(found)).not.toContain('process.command_args')
})

describe('the name of the service', () => {
  const orders = { '/srv/shop/orders/package.json': '{"name":"@shop/orders","version":"1.2.3"}' }
  const shop = { '/srv/shop/package.json': '{"name":"shop"}' }

  test.each([
    ['the nearest package', { ...orders, ...shop }, {}, { name: 'orders', version: '1.2.3' }],
    ['one without a name is passed by', { '/srv/shop/orders/package.json': '{}', ...shop }, {}, { name: 'shop' }],
    ['one that is broken too', { '/srv/shop/orders/package.json': '{', ...shop }, {}, { name: 'shop' }],
    ['none', {}, {}, {}],
    ['a tool of the package', shop, { script: '/srv/shop/node_modules/next/dist/bin/next' }, { name: 'shop' }],
    ['no script at all', shop, { script: undefined }, { name: 'shop' }],
  ])('from package.json: %s', (_what, files, more, expected) => {
    expect(describePackage(around(files as Record<string, string>, more))).toEqual(expected)
  })
})
