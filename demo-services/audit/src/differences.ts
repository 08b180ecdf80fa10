interface Line {
  id: string
}

/** All the tables that the shop's services keep, each in its own database. */
export interface Books {
  orders: (Line & { sku: string; quantity: number; cents: number; status: string })[]
  /** The outbox. */
  waiting: (Line & { step: string })[]
  charges: (Line & { cents: number })[]
  reservations: (Line & { sku: string; quantity: number })[]
  stock: { sku: string; taken: number }[]
  notifications: Line[]
}

/** What does not balance, one sentence each with the first ids, behind the service whose book it is; empty when all does. */
export function differences(books: Books): string[] {
  const confirmed = books.orders.filter(each => each.status === 'confirmed')
  const orders = new Map(confirmed.map(each => [each.id, each]))
  const found: string[] = []
  const note = (service: string, what: string, ids: string[]) => {
    if (ids.length > 0) found.push(`${service}: ${ids.length} ${what}: ${ids.slice(0, 3).join(', ')}`)
  }

  const open = books.orders.filter(each => each.status !== 'confirmed' && each.status !== 'rejected')
  note(
    'orders',
    'orders are not settled yet',
    open.map(each => each.id),
  )
  for (const [step, service] of Object.entries({ settle: 'orders', notify: 'notifications' })) {
    const waiting = books.waiting.filter(each => each.step === step)
    note(
      service,
      'messages wait in the outbox',
      waiting.map(each => `${each.id} (${each.step})`),
    )
  }

  const kinds = [
    ['payments', 'charged', books.charges],
    ['inventory', 'taken from stock', books.reservations],
    ['notifications', 'notified', books.notifications],
  ] as const
  for (const [service, did, lines] of kinds) {
    const counts = new Map<string, number>()
    for (const { id } of lines) counts.set(id, (counts.get(id) ?? 0) + 1)
    note(
      service,
      `orders were not ${did}`,
      [...orders.keys()].filter(id => !counts.has(id)),
    )
    note(
      service,
      `were ${did} without a confirmed order`,
      [...counts.keys()].filter(id => !orders.has(id)),
    )
    note(
      service,
      `orders were ${did} more than once`,
      [...counts].filter(([, n]) => n > 1).map(([id]) => id),
    )
  }

  const wrongSum = books.charges.filter(({ id, cents }) => orders.has(id) && orders.get(id)?.cents !== cents)
  note(
    'payments',
    'orders were charged the wrong sum',
    wrongSum.map(each => each.id),
  )
  const wrongGoods = books.reservations.filter(({ id, sku, quantity }) => {
    const order = orders.get(id)
    return order && (order.sku !== sku || order.quantity !== quantity)
  })
  note(
    'inventory',
    'orders took the wrong goods from stock',
    wrongGoods.map(each => each.id),
  )

  for (const { sku, taken } of books.stock) {
    const sold = confirmed.filter(each => each.sku === sku).reduce((sum, each) => sum + each.quantity, 0)
    if (sold !== taken) found.push(`inventory: of ${sku} ${taken} were taken from stock and ${sold} were sold`)
  }
  return found
}
