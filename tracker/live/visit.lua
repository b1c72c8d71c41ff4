-- Speaks of a visit to its viewers, or reads it: whoever comes first gives it an epoch.
--
-- ARGV[1]  msgpack {tag, appointment, epoch for a visit that has none, kind, …}
--   state  …, state, at (text), ended, trail's cap  → {epoch, offset}
--   route  …, technician, leg, serial, route (JSON) → {epoch, offset}, or {} if that leg is not the gate's
--   read   …                                        → {epoch, offset, leg, position, eta, serial} ('' where there is none)
local tag, appointment, new_epoch, kind, a, b, c, d = unpack(cmsgpack.unpack(ARGV[1]))
local call = redis.call
local key = tag .. 'visit:' .. appointment
local visit = call('HMGET', key, 'epoch', 'off', 'leg', 'pos', 'eta', 'rn')
local epoch, off = visit[1] or new_epoch, tonumber(visit[2]) or 0

local function publish(body)
  off = off + 1
  local frame = '{"ep":"' .. epoch .. '","o":' .. off .. ',' .. body .. '}'
  call('HSET', key, 'epoch', epoch, 'off', off)
  call('PEXPIRE', key, 86400000)
  call('PUBLISH', tag .. 'v:' .. appointment, frame)
  return frame
end

if kind == 'state' then
  local frame = publish('"k":"state","s":"' .. a .. '","at":"' .. b .. '","ended":' .. tostring(c))
  call('RPUSH', key .. ':events', frame)
  call('LTRIM', key .. ':events', -16, -1)
  call('PEXPIRE', key .. ':events', 86400000)
  call('XADD', tag .. 'told', 'MAXLEN', '~', d, '*', 'a', appointment, 'w', frame)
elseif kind == 'route' then
  if call('HGET', tag .. 'gate:' .. a, 'leg') ~= b then return cmsgpack.pack({}) end
  call('SET', tag .. 'route:' .. b, d, 'PX', 43200000)
  call('HSET', key, 'rn', c)
  publish('"k":"route","n":' .. c)
else
  if not visit[1] then
    call('HSET', key, 'epoch', epoch, 'off', off)
    call('PEXPIRE', key, 86400000)
  end
  return cmsgpack.pack({epoch, off, visit[3] or '', visit[4] or '', visit[5] or '', visit[6] or ''})
end
return cmsgpack.pack({epoch, off})
