-- Closes a technician's gate before the closing step is committed: from here on no frame of the visit can be made.
--
-- ARGV[1]  msgpack {tag, technician, appointment or '', gen, fence's expiry ms, forget, epoch for a visit that has none}
-- answer   the offset of the visit's `closed` message, 0 without an appointment
local tag, technician, appointment, gen, fence_ms, forget, new_epoch = unpack(cmsgpack.unpack(ARGV[1]))
local call = redis.call
local fence = tonumber(call('GET', tag .. 'gen:' .. technician) or 0)
call('SET', tag .. 'gen:' .. technician, math.max(fence, gen), 'PX', fence_ms)
local leg = call('HGET', tag .. 'gate:' .. technician, 'leg')
call('DEL', tag .. 'gate:' .. technician)
if leg and leg ~= '' then call('DEL', tag .. 'route:' .. leg) end
if forget then
  call('DEL', tag .. 'last:' .. technician)
  call('ZREM', tag .. 'geo', technician)
  call('ZREM', tag .. 'seen', technician)
  call('PUBLISH', tag .. 'staff', '{"technicians":[{"technician":"' .. technician .. '","appointment":null,"position":null}]}')
end
if appointment == '' then return cmsgpack.pack(0) end
local key = tag .. 'visit:' .. appointment
local visit = call('HMGET', key, 'epoch', 'off', 'leg')
local epoch, off = visit[1] or new_epoch, (tonumber(visit[2]) or 0) + 1
if visit[3] then call('DEL', tag .. 'route:' .. visit[3]) end
call('HDEL', key, 'pos', 'eta', 'leg', 'rn')
call('HSET', key, 'epoch', epoch, 'off', off)
call('PEXPIRE', key, 86400000)
call('PUBLISH', tag .. 'v:' .. appointment, '{"ep":"' .. epoch .. '","o":' .. off .. ',"k":"closed"}')
return cmsgpack.pack(off)
