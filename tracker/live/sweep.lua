-- Takes from a bucket's map whom staff must not see any more: off duty, paused, or not heard for too long.
-- (Members of a geo set carry no time and never expire.)
--
-- ARGV[1]  msgpack {tag, now ms, silent since ms}
-- answer   the technicians taken off
local tag, now, silent = unpack(cmsgpack.unpack(ARGV[1]))
local call, gone = redis.call, {}
for _, technician in ipairs(call('ZRANGE', tag .. 'seen', 0, -1)) do
  local g = call('HMGET', tag .. 'gate:' .. technician, 'duty_end', 'sharing', 'leg')
  local seen = tonumber(call('ZSCORE', tag .. 'seen', technician))
  local off = g[1] and (g[2] ~= '1' or (g[3] == '' and now >= tonumber(g[1])))
  if off or seen < silent or call('EXISTS', tag .. 'last:' .. technician) == 0 then
    call('ZREM', tag .. 'seen', technician)
    call('ZREM', tag .. 'geo', technician)
    call('DEL', tag .. 'last:' .. technician)
    gone[#gone + 1] = technician
  end
end
if #gone > 0 then
  local said = {}
  for i, technician in ipairs(gone) do
    said[i] = '{"technician":"' .. technician .. '","appointment":null,"position":null}'
  end
  call('PUBLISH', tag .. 'staff', '{"technicians":[' .. table.concat(said, ',') .. ']}')
end
return cmsgpack.pack(gone)
