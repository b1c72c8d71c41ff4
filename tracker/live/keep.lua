-- Keeps a batch of pings: one call however many phones, all or nothing for each item, nothing of it decided outside.
--
-- KEYS[1]  any key of the bucket (names the slot on a cluster)
-- ARGV[1]  msgpack {now ms, now as text, epoch for visits that have none, last's expiry ms, trail's cap, items}
-- item     {technician, tag, device, version expected, version new, fix ms (0: no marker), lat, lon, head, ping,
--           leg assumed, eta, points {{fix ms, bytes}…}, boot, dealt}
-- answer   per item {code, moved, leg, appointment, route serial, interval, sharing}; code:
--           k kept, u acknowledged but not stored, g there is no gate, n another process wrote: {n, version, ping, device}
local call, tonumber = redis.call, tonumber
local now, now_text, new_epoch, last_ms, cap, items = unpack(cmsgpack.unpack(ARGV[1]))
local staff = {}

-- metres on the plane that touches the globe at the zone's centre, as domain/geo.flat_m
local function cloaked(g, lat, lon)
  local radius = tonumber(g[9])
  if radius <= 0 then return false end
  local clat, clon = tonumber(g[7]), tonumber(g[8])
  local x = math.rad((lon - clon + 540) % 360 - 180) * 6371008.8 * math.cos(math.rad(clat))
  local y = math.rad(lat - clat) * 6371008.8
  return x * x + y * y <= radius * radius
end

-- the next offset, the frame, what is remembered for those who come later, and for the records; the route's serial
local function show(tag, g, position, eta)
  local key = tag .. 'visit:' .. g[5]
  local visit = call('HMGET', key, 'epoch', 'off', 'rn')
  local epoch, off = visit[1] or new_epoch, (tonumber(visit[2]) or 0) + 1
  local frame = '{"ep":"' .. epoch .. '","o":' .. off .. ',"k":"update","leg":"' .. g[4] .. '","p":' .. position
  if eta ~= '' then
    frame = frame .. ',"e":' .. eta .. '}'
    call('HSET', key, 'epoch', epoch, 'off', off, 'leg', g[4], 'pos', position, 'eta', eta)
  else
    frame = frame .. '}'
    call('HSET', key, 'epoch', epoch, 'off', off, 'leg', g[4], 'pos', position)
  end
  -- a day is long beside sixteen frames: the expiry need not be moved by each
  if not visit[1] or off % 16 == 0 then call('PEXPIRE', key, 86400000) end
  call('PUBLISH', tag .. 'v:' .. g[5], frame)
  call('XADD', tag .. 'told', 'MAXLEN', '~', cap, '*', 'a', g[5], 'w', frame)
  return visit[3] or ''
end

-- points that may be stored, as one entry; the leg is theirs only if they are newer than its start
local function store(item, g)
  local from, kept = tonumber(g[11]), {}
  for _, point in ipairs(item[13]) do
    if point[1] >= from then kept[#kept + 1] = point[2] end
  end
  if #kept > 0 then
    call('XADD', item[2] .. 'trail', 'MAXLEN', '~', cap, '*', 't', item[1], 'd', item[3], 'l', g[4], 's', g[6],
      'r', now, 'p', table.concat(kept))
  end
end

local function tell_staff(item, g, position)
  local appointment = g[5] ~= '' and '"' .. g[5] .. '"' or 'null'
  local said = '{"technician":"' .. item[1] .. '","appointment":' .. appointment .. ',"position":' .. position .. '}'
  staff[item[2]] = staff[item[2]] and staff[item[2]] .. ',' .. said or said
end

-- the marker: moved by a newer fix, or else only the word that the phone is there; and the route's serial if it was shown
local function mark(item, g, last, key)
  local tag, fix, lat, lon, head = item[2], item[6], item[7], item[8], item[9]
  local moved = fix > (tonumber(last[2]) or 0) and fix >= tonumber(g[11])
  if moved then
    call('HSET', key, 'v', item[5], 'at', fix, 'ct', now, 'dev', item[3], 'h', head, 'f', item[10], 'int', g[10],
      'lat', lat, 'lon', lon)
    -- an hour is long beside a minute: the expiry need not be moved by each
    if not last[3] or math.floor(now / 60000) ~= math.floor(tonumber(last[3]) / 60000) then call('PEXPIRE', key, last_ms) end
    if math.abs(lat) <= 85.05 then call('GEOADD', tag .. 'geo', lon, lat, item[1]) end
  elseif last[4] == item[3] and now - tonumber(last[3]) >= 5000 then
    -- standing, or only history came: said again at most every five seconds
    call('HSET', key, 'ct', now)
    fix, head, lat, lon = tonumber(last[2]), last[5], tonumber(last[6]), tonumber(last[7])
  else
    return false
  end
  call('ZADD', tag .. 'seen', now, item[1])
  local position = head .. ',"contact_at":"' .. now_text .. '","interval_s":' .. g[10] .. '}'
  tell_staff(item, g, position)
  if g[4] ~= '' and fix > tonumber(g[6]) and not cloaked(g, lat, lon) then
    return moved, show(tag, g, position, item[11] == g[4] and item[12] or '')
  end
  return moved
end

local function keep(item)
  local tag, technician = item[2], item[1]
  local g = call('HMGET', tag .. 'gate:' .. technician, 'duty_end', 'sharing', 'dev', 'leg', 'appt', 'since',
    'clat', 'clon', 'crad', 'int', 'from', 'gone')
  if not g[1] then return {'g'} end
  local code, moved, serial = 'u', false, nil
  -- the token was looked at before: the phone may have been revoked since
  local gone = g[12] and g[12] ~= '' and string.find(g[12], item[3], 1, true)
  if not gone and g[2] == '1' and (g[4] ~= '' or now < tonumber(g[1])) then
    code = 'k'
    if g[3] == item[3] then
      local key = tag .. 'last:' .. technician
      local last = call('HMGET', key, 'v', 'at', 'ct', 'dev', 'h', 'lat', 'lon', 'f')
      -- the same call again (its answer was lost): it is done already
      if last[1] == item[5] then return {'k', true, g[4], g[5], '', g[10], g[2]} end
      if (last[1] or '') ~= item[4] then return {'n', last[1] or '', last[8] or '', last[4] or ''} end
      moved, serial = mark(item, g, last, key)
    end
    store(item, g)
  end
  if item[14] ~= '' then call('HSET', tag .. 'boot:' .. item[3], item[14], item[15]) end
  if not serial then serial = g[5] ~= '' and call('HGET', tag .. 'visit:' .. g[5], 'rn') or '' end
  return {code, moved, g[4], g[5], serial or '', g[10], g[2]}
end

local answers = {}
for i, item in ipairs(items) do answers[i] = keep(item) end
for tag, said in pairs(staff) do
  call('PUBLISH', tag .. 'staff', '{"technicians":[' .. said .. ']}')
end
return cmsgpack.pack(answers)
