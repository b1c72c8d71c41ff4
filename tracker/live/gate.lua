-- Sets gates that are not older than the fence: a reader that was slow cannot undo a closing.
--
-- ARGV[1]  msgpack {lease ms, fence's expiry ms, {{tag, technician, gen, {name, value, …}}…}}
-- answer   per gate 0, or the fence that refused it
local lease, fence_ms, gates = unpack(cmsgpack.unpack(ARGV[1]))
local answers = {}
for i, gate in ipairs(gates) do
  local tag, technician, gen, fields = unpack(gate)
  local fence = tonumber(redis.call('GET', tag .. 'gen:' .. technician) or 0)
  if gen < fence then
    answers[i] = fence
  else
    redis.call('SET', tag .. 'gen:' .. technician, gen, 'PX', fence_ms)
    redis.call('HSET', tag .. 'gate:' .. technician, unpack(fields))
    redis.call('PEXPIRE', tag .. 'gate:' .. technician, lease)
    answers[i] = 0
  end
end
return cmsgpack.pack(answers)
