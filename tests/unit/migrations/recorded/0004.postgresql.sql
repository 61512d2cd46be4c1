CREATE TABLE acl (
    id character varying(36) NOT NULL,
    logical_switch_id character varying(36),
    port_group_id character varying(36),
    name character varying(255) NOT NULL,
    direction character varying NOT NULL,
    tier integer NOT NULL,
    priority integer NOT NULL,
    match character varying NOT NULL,
    action character varying NOT NULL,
    log boolean NOT NULL,
    severity character varying NOT NULL,
    meter character varying,
    label bigint NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL,
    CONSTRAINT ck_acl_one_owner CHECK (((logical_switch_id IS NULL) <> (port_group_id IS NULL)))
);
CREATE TABLE acl_reference (
    acl_id character varying(36) NOT NULL,
    target character varying(255) NOT NULL
);
CREATE TABLE address_claim (
    logical_switch_id character varying(36) NOT NULL,
    address character varying NOT NULL,
    logical_switch_port_id character varying(36) NOT NULL,
    number bigint
);
CREATE TABLE address_set (
    id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
CREATE TABLE address_set_address (
    address_set_id character varying(36) NOT NULL,
    address character varying NOT NULL
);
CREATE TABLE alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE allocation_cursor (
    pool character varying(255) NOT NULL,
    next bigint NOT NULL
);
CREATE TABLE api_token (
    id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    role character varying NOT NULL,
    chassis character varying(255),
    digest character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    hostname character varying(255),
    encap_ips text DEFAULT '[]'::text NOT NULL
);
CREATE TABLE change (
    revision bigint NOT NULL,
    seq integer NOT NULL,
    "table" character varying(255) NOT NULL,
    object_id character varying(255) NOT NULL,
    before json,
    after json
);
CREATE TABLE logical_router (
    id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    enabled boolean NOT NULL,
    tunnel_key integer NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
CREATE TABLE logical_router_port (
    id character varying(36) NOT NULL,
    logical_router_id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    mac character varying NOT NULL,
    networks json NOT NULL,
    peer character varying(255),
    enabled boolean NOT NULL,
    tunnel_key integer NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
CREATE TABLE logical_switch (
    id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    tunnel_key integer NOT NULL,
    subnet4 character varying,
    subnet6 character varying,
    exclude_ips json NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
CREATE TABLE logical_switch_port (
    id character varying(36) NOT NULL,
    logical_switch_id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    type character varying NOT NULL,
    addresses json NOT NULL,
    dynamic_addresses character varying,
    port_security json NOT NULL,
    enabled boolean NOT NULL,
    router_port character varying(255),
    requested_chassis json NOT NULL,
    tunnel_key integer NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
CREATE TABLE port_group (
    id character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
CREATE TABLE port_group_port (
    port_group_id character varying(36) NOT NULL,
    logical_switch_port_id character varying(36) NOT NULL
);
CREATE TABLE revision (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    author character varying(255) NOT NULL,
    comment character varying NOT NULL
);
CREATE TABLE revision_counter (
    id integer NOT NULL,
    value bigint NOT NULL
);
CREATE SEQUENCE revision_counter_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE revision_counter_id_seq OWNED BY revision_counter.id;
CREATE SEQUENCE revision_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE revision_id_seq OWNED BY revision.id;
CREATE TABLE southbound_chassis (
    name character varying(255) NOT NULL,
    hostname character varying(255) NOT NULL,
    encaps text NOT NULL,
    external_ids text NOT NULL,
    alive boolean NOT NULL
);
CREATE TABLE southbound_datapath (
    id character varying(36) NOT NULL,
    kind character varying(2) NOT NULL,
    name character varying(255) NOT NULL,
    tunnel_key integer NOT NULL
);
CREATE TABLE southbound_fdb (
    datapath character varying(36) NOT NULL,
    mac character varying(17) NOT NULL,
    port character varying(255) NOT NULL,
    chassis character varying(255) NOT NULL,
    learned_at double precision NOT NULL
);
CREATE TABLE southbound_flow_group (
    id bigint NOT NULL,
    origin text NOT NULL,
    datapath character varying(36) NOT NULL,
    cause_kind character varying(255) NOT NULL,
    cause_id character varying(255) NOT NULL,
    revision bigint NOT NULL,
    payload bytea NOT NULL
);
CREATE SEQUENCE southbound_flow_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE southbound_flow_group_id_seq OWNED BY southbound_flow_group.id;
CREATE TABLE southbound_mac_binding (
    port character varying(255) NOT NULL,
    ip character varying(45) NOT NULL,
    datapath character varying(36) NOT NULL,
    mac character varying(17) NOT NULL,
    chassis character varying(255) NOT NULL,
    learned_at double precision NOT NULL
);
CREATE TABLE southbound_port_binding (
    id character varying(36) NOT NULL,
    datapath character varying(36) NOT NULL,
    name character varying(255) NOT NULL,
    tunnel_key integer NOT NULL,
    type character varying(16) NOT NULL,
    enabled boolean NOT NULL,
    addresses text NOT NULL,
    multicast text NOT NULL,
    peer character varying(255) NOT NULL,
    peer_datapath character varying(36) NOT NULL,
    requested_chassis text NOT NULL,
    options text NOT NULL,
    neighbours text NOT NULL
);
CREATE TABLE southbound_port_fact (
    id character varying(36) NOT NULL,
    chassis character varying(255) NOT NULL,
    up boolean NOT NULL
);
CREATE TABLE southbound_progress (
    id integer NOT NULL,
    revision bigint NOT NULL,
    next_group_id bigint NOT NULL
);
CREATE SEQUENCE southbound_progress_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE southbound_progress_id_seq OWNED BY southbound_progress.id;
CREATE TABLE southbound_set_member (
    set character varying(255) NOT NULL,
    member character varying(255) NOT NULL
);
CREATE TABLE southbound_template (
    id bigint NOT NULL,
    pipeline character varying(255) NOT NULL,
    stage character varying(255) NOT NULL,
    table_number integer NOT NULL,
    stage_default character varying(255) NOT NULL,
    priority text NOT NULL,
    match text NOT NULL,
    actions text NOT NULL,
    "only" text NOT NULL
);
CREATE SEQUENCE southbound_template_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE southbound_template_id_seq OWNED BY southbound_template.id;
CREATE TABLE static_route (
    id character varying(36) NOT NULL,
    logical_router_id character varying(36) NOT NULL,
    ip_prefix character varying NOT NULL,
    nexthop character varying NOT NULL,
    output_port character varying(255),
    policy character varying NOT NULL,
    labels json NOT NULL,
    external_ids json NOT NULL,
    document character varying(255),
    version bigint NOT NULL
);
ALTER TABLE ONLY revision ALTER COLUMN id SET DEFAULT nextval('revision_id_seq'::regclass);
ALTER TABLE ONLY revision_counter ALTER COLUMN id SET DEFAULT nextval('revision_counter_id_seq'::regclass);
ALTER TABLE ONLY southbound_flow_group ALTER COLUMN id SET DEFAULT nextval('southbound_flow_group_id_seq'::regclass);
ALTER TABLE ONLY southbound_progress ALTER COLUMN id SET DEFAULT nextval('southbound_progress_id_seq'::regclass);
ALTER TABLE ONLY southbound_template ALTER COLUMN id SET DEFAULT nextval('southbound_template_id_seq'::regclass);
INSERT INTO acl VALUES ('2713095c-3af7-4ef1-80ec-d9935c4945b2', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', NULL, '', 'from-lport', 0, 1, 'udp', 'drop', false, 'info', NULL, 0, '{}', '{}', 'shop', 1);
INSERT INTO acl VALUES ('aa79d91d-2fb1-4c0a-926a-f5630bea5884', NULL, '454b5949-0c94-4524-86ed-71223bf547d7', '', 'to-lport', 0, 9, 'outport == @frontends && ip4.src == $offices', 'allow-related', false, 'info', NULL, 0, '{}', '{}', 'shop', 1);
INSERT INTO acl VALUES ('898a8f51-8728-49e5-9146-fff9c102dbc3', NULL, 'fa71f1e0-ea65-4784-8e26-e1e3df2addf5', 'shut', 'to-lport', 0, 7, 'outport == @lab.all && ip4.src == $lab.all_ip4 && ip4.dst != $offices', 'drop', false, 'info', NULL, 0, '{}', '{}', NULL, 2);
INSERT INTO acl_reference VALUES ('aa79d91d-2fb1-4c0a-926a-f5630bea5884', '$offices');
INSERT INTO acl_reference VALUES ('aa79d91d-2fb1-4c0a-926a-f5630bea5884', '@frontends');
INSERT INTO acl_reference VALUES ('898a8f51-8728-49e5-9146-fff9c102dbc3', '$offices');
INSERT INTO acl_reference VALUES ('898a8f51-8728-49e5-9146-fff9c102dbc3', '@lab.all');
INSERT INTO address_claim VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '0a:d4:c2:a8:66:e0', 'a6f92696-8953-48ec-bfe7-2c926b96937a', NULL);
INSERT INTO address_claim VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '10.0.1.2', 'a6f92696-8953-48ec-bfe7-2c926b96937a', 167772418);
INSERT INTO address_claim VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '0a:00:00:00:01:02', '22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0', NULL);
INSERT INTO address_claim VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '10.0.1.12', '22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0', 167772428);
INSERT INTO address_claim VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '0a:e5:63:b4:54:e4', 'f01a85f1-92ca-4a6a-9ca6-47a09d0b05ad', NULL);
INSERT INTO address_claim VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '10.0.1.1', 'f01a85f1-92ca-4a6a-9ca6-47a09d0b05ad', 167772417);
INSERT INTO address_set VALUES ('e140cfdc-fe7a-4bd7-8c98-2e63e66336a3', 'offices', '{}', '{}', 'shop', 1);
INSERT INTO address_set_address VALUES ('e140cfdc-fe7a-4bd7-8c98-2e63e66336a3', '192.0.2.0/24');
INSERT INTO alembic_version VALUES ('0004');
INSERT INTO allocation_cursor VALUES ('port/74177040-0fcd-477c-983c-da29fe9ccaba', 3);
INSERT INTO allocation_cursor VALUES ('port/79a11813-ed00-41b2-a5f4-5b2d2a468831', 2);
INSERT INTO allocation_cursor VALUES ('ip4/f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 167772419);
INSERT INTO allocation_cursor VALUES ('port/f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 4);
INSERT INTO allocation_cursor VALUES ('port/58f03a6a-8391-4abe-972f-acd7b9d9e4c3', 2);
INSERT INTO allocation_cursor VALUES ('datapath', 7);
INSERT INTO allocation_cursor VALUES ('port/eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 3);
INSERT INTO api_token VALUES ('5d13d2a0-ed5a-42f1-9b9d-51c59445ce94', 'root', 'admin', NULL, '12011ba64cf866675f07b4755683bf75a5f4021472a78dea376d96c50613316b', '2026-11-26 18:08:44.25076+00', NULL, NULL, '[]');
INSERT INTO api_token VALUES ('f856fa38-8fc4-479f-85dc-433ec92c2630', 'ops', 'operator', NULL, '6731658bdd5b8efda5b790e835d5f3d5054ae29b185b5f584e3881209b9a2f6b', '2026-11-26 18:08:44.252068+00', '2030-01-01 00:00:00+00', NULL, '[]');
INSERT INTO api_token VALUES ('5655d15c-dd9a-4bff-b356-db7225ad67a5', 'hv1', 'chassis', 'hv1', '64337d6606ed5613685b7e2ec26fd375b1428dde3660e45bd964daa258919d8d', '2026-11-26 18:08:44.252801+00', NULL, 'hv1.example.net', '["192.0.2.11"]');
INSERT INTO change VALUES (1, 0, 'logical_switch', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', NULL, '{"id":"f4e0d31f-f53f-4583-8a73-235f9b50e1c5","name":"web","tunnel_key":1,"subnet4":"10.0.1.0/24","subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 1, 'logical_switch', '58f03a6a-8391-4abe-972f-acd7b9d9e4c3', NULL, '{"id":"58f03a6a-8391-4abe-972f-acd7b9d9e4c3","name":"db","tunnel_key":2,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 2, 'logical_router', '74177040-0fcd-477c-983c-da29fe9ccaba', NULL, '{"id":"74177040-0fcd-477c-983c-da29fe9ccaba","name":"r1","enabled":true,"tunnel_key":3,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 3, 'logical_router', '79a11813-ed00-41b2-a5f4-5b2d2a468831', NULL, '{"id":"79a11813-ed00-41b2-a5f4-5b2d2a468831","name":"r2","enabled":true,"tunnel_key":4,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 4, 'logical_router_port', 'e09caf09-1f27-4e11-9ec7-a129ea7c1812', NULL, '{"id":"e09caf09-1f27-4e11-9ec7-a129ea7c1812","logical_router_id":"74177040-0fcd-477c-983c-da29fe9ccaba","name":"r1-web","mac":"0a:e5:63:b4:54:e4","networks":["10.0.1.1/24"],"peer":null,"enabled":true,"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 5, 'logical_router_port', '9de65f29-d4d8-4aa3-9281-55c6032c82df', NULL, '{"id":"9de65f29-d4d8-4aa3-9281-55c6032c82df","logical_router_id":"74177040-0fcd-477c-983c-da29fe9ccaba","name":"r1-r2","mac":"0a:5e:1d:00:04:d6","networks":["10.9.0.1/30"],"peer":"r2-r1","enabled":true,"tunnel_key":2,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 6, 'logical_router_port', 'c2b7de2c-49d4-4fd3-8645-19b407da89a9', NULL, '{"id":"c2b7de2c-49d4-4fd3-8645-19b407da89a9","logical_router_id":"79a11813-ed00-41b2-a5f4-5b2d2a468831","name":"r2-r1","mac":"0a:ee:ed:7c:80:57","networks":["10.9.0.2/30"],"peer":"r1-r2","enabled":true,"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 7, 'logical_switch_port', 'a6f92696-8953-48ec-bfe7-2c926b96937a', NULL, '{"id":"a6f92696-8953-48ec-bfe7-2c926b96937a","logical_switch_id":"f4e0d31f-f53f-4583-8a73-235f9b50e1c5","name":"web-1","type":"vif","addresses":["dynamic"],"dynamic_addresses":"0a:d4:c2:a8:66:e0 10.0.1.2","port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 8, 'logical_switch_port', '22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0', NULL, '{"id":"22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0","logical_switch_id":"f4e0d31f-f53f-4583-8a73-235f9b50e1c5","name":"web-2","type":"vif","addresses":["0a:00:00:00:01:02 10.0.1.12"],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":2,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 9, 'logical_switch_port', 'f01a85f1-92ca-4a6a-9ca6-47a09d0b05ad', NULL, '{"id":"f01a85f1-92ca-4a6a-9ca6-47a09d0b05ad","logical_switch_id":"f4e0d31f-f53f-4583-8a73-235f9b50e1c5","name":"web-r","type":"router","addresses":["router"],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":"r1-web","requested_chassis":[],"tunnel_key":3,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 10, 'logical_switch_port', 'a65cefb2-4350-4de9-bf11-310c342eacd8', NULL, '{"id":"a65cefb2-4350-4de9-bf11-310c342eacd8","logical_switch_id":"58f03a6a-8391-4abe-972f-acd7b9d9e4c3","name":"db-1","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 11, 'static_route', '046378ff-95bb-4ddc-afd2-f2265e20b974', NULL, '{"id":"046378ff-95bb-4ddc-afd2-f2265e20b974","logical_router_id":"74177040-0fcd-477c-983c-da29fe9ccaba","ip_prefix":"10.8.0.0/16","nexthop":"10.9.0.2","output_port":null,"policy":"dst-ip","labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 12, 'port_group', '454b5949-0c94-4524-86ed-71223bf547d7', NULL, '{"id":"454b5949-0c94-4524-86ed-71223bf547d7","name":"frontends","labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 13, 'port_group_port', '454b5949-0c94-4524-86ed-71223bf547d7/22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0', NULL, '{"port_group_id":"454b5949-0c94-4524-86ed-71223bf547d7","logical_switch_port_id":"22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0"}');
INSERT INTO change VALUES (1, 14, 'port_group_port', '454b5949-0c94-4524-86ed-71223bf547d7/a6f92696-8953-48ec-bfe7-2c926b96937a', NULL, '{"port_group_id":"454b5949-0c94-4524-86ed-71223bf547d7","logical_switch_port_id":"a6f92696-8953-48ec-bfe7-2c926b96937a"}');
INSERT INTO change VALUES (1, 15, 'address_set', 'e140cfdc-fe7a-4bd7-8c98-2e63e66336a3', NULL, '{"id":"e140cfdc-fe7a-4bd7-8c98-2e63e66336a3","name":"offices","labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 16, 'address_set_address', 'e140cfdc-fe7a-4bd7-8c98-2e63e66336a3/192.0.2.0/24', NULL, '{"address_set_id":"e140cfdc-fe7a-4bd7-8c98-2e63e66336a3","address":"192.0.2.0/24"}');
INSERT INTO change VALUES (1, 17, 'acl', '2713095c-3af7-4ef1-80ec-d9935c4945b2', NULL, '{"id":"2713095c-3af7-4ef1-80ec-d9935c4945b2","logical_switch_id":"f4e0d31f-f53f-4583-8a73-235f9b50e1c5","port_group_id":null,"name":"","direction":"from-lport","tier":0,"priority":1,"match":"udp","action":"drop","log":false,"severity":"info","meter":null,"label":0,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (1, 18, 'acl', 'aa79d91d-2fb1-4c0a-926a-f5630bea5884', NULL, '{"id":"aa79d91d-2fb1-4c0a-926a-f5630bea5884","logical_switch_id":null,"port_group_id":"454b5949-0c94-4524-86ed-71223bf547d7","name":"","direction":"to-lport","tier":0,"priority":9,"match":"outport == @frontends && ip4.src == $offices","action":"allow-related","log":false,"severity":"info","meter":null,"label":0,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO change VALUES (2, 0, 'logical_switch', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', NULL, '{"id":"eb7cff64-a109-4ad4-ac6e-df1170eb5d95","name":"lab","tunnel_key":5,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{"team":"lab"},"external_ids":{},"document":null}');
INSERT INTO change VALUES (2, 1, 'logical_switch', '11129cd5-b13c-4535-87bb-f90da39b1531', NULL, '{"id":"11129cd5-b13c-4535-87bb-f90da39b1531","name":"gone","tunnel_key":6,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":null}');
INSERT INTO change VALUES (2, 2, 'logical_switch_port', 'f71162dd-2039-4606-92cb-3edb19e1aefd', NULL, '{"id":"f71162dd-2039-4606-92cb-3edb19e1aefd","logical_switch_id":"eb7cff64-a109-4ad4-ac6e-df1170eb5d95","name":"lab-1","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":1,"labels":{},"external_ids":{},"document":null}');
INSERT INTO change VALUES (2, 3, 'logical_switch_port', '6721ab70-4223-4365-bfb1-cdd3c59ac51a', NULL, '{"id":"6721ab70-4223-4365-bfb1-cdd3c59ac51a","logical_switch_id":"eb7cff64-a109-4ad4-ac6e-df1170eb5d95","name":"lab-2","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":2,"labels":{},"external_ids":{},"document":null}');
INSERT INTO change VALUES (2, 4, 'port_group', 'fa71f1e0-ea65-4784-8e26-e1e3df2addf5', NULL, '{"id":"fa71f1e0-ea65-4784-8e26-e1e3df2addf5","name":"lab.all","labels":{},"external_ids":{},"document":null}');
INSERT INTO change VALUES (2, 5, 'port_group_port', 'fa71f1e0-ea65-4784-8e26-e1e3df2addf5/6721ab70-4223-4365-bfb1-cdd3c59ac51a', NULL, '{"port_group_id":"fa71f1e0-ea65-4784-8e26-e1e3df2addf5","logical_switch_port_id":"6721ab70-4223-4365-bfb1-cdd3c59ac51a"}');
INSERT INTO change VALUES (2, 6, 'port_group_port', 'fa71f1e0-ea65-4784-8e26-e1e3df2addf5/f71162dd-2039-4606-92cb-3edb19e1aefd', NULL, '{"port_group_id":"fa71f1e0-ea65-4784-8e26-e1e3df2addf5","logical_switch_port_id":"f71162dd-2039-4606-92cb-3edb19e1aefd"}');
INSERT INTO change VALUES (2, 7, 'acl', '898a8f51-8728-49e5-9146-fff9c102dbc3', NULL, '{"id":"898a8f51-8728-49e5-9146-fff9c102dbc3","logical_switch_id":null,"port_group_id":"fa71f1e0-ea65-4784-8e26-e1e3df2addf5","name":"shut","direction":"to-lport","tier":0,"priority":7,"match":"outport == @lab.all && ip4.src == $lab.all_ip4 && ip4.dst != $offices","action":"drop","log":false,"severity":"info","meter":null,"label":0,"labels":{},"external_ids":{},"document":null}');
INSERT INTO change VALUES (3, 0, 'logical_switch_port', '6721ab70-4223-4365-bfb1-cdd3c59ac51a', '{"id":"6721ab70-4223-4365-bfb1-cdd3c59ac51a","logical_switch_id":"eb7cff64-a109-4ad4-ac6e-df1170eb5d95","name":"lab-2","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":2,"labels":{},"external_ids":{},"document":null}', '{"id":"6721ab70-4223-4365-bfb1-cdd3c59ac51a","logical_switch_id":"eb7cff64-a109-4ad4-ac6e-df1170eb5d95","name":"bench","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":["hv1"],"tunnel_key":2,"labels":{},"external_ids":{},"document":null}');
INSERT INTO change VALUES (3, 1, 'logical_switch', '11129cd5-b13c-4535-87bb-f90da39b1531', '{"id":"11129cd5-b13c-4535-87bb-f90da39b1531","name":"gone","tunnel_key":6,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":null}', NULL);
INSERT INTO logical_router VALUES ('74177040-0fcd-477c-983c-da29fe9ccaba', 'r1', true, 3, '{}', '{}', 'shop', 1);
INSERT INTO logical_router VALUES ('79a11813-ed00-41b2-a5f4-5b2d2a468831', 'r2', true, 4, '{}', '{}', 'shop', 1);
INSERT INTO logical_router_port VALUES ('e09caf09-1f27-4e11-9ec7-a129ea7c1812', '74177040-0fcd-477c-983c-da29fe9ccaba', 'r1-web', '0a:e5:63:b4:54:e4', '["10.0.1.1/24"]', NULL, true, 1, '{}', '{}', 'shop', 1);
INSERT INTO logical_router_port VALUES ('9de65f29-d4d8-4aa3-9281-55c6032c82df', '74177040-0fcd-477c-983c-da29fe9ccaba', 'r1-r2', '0a:5e:1d:00:04:d6', '["10.9.0.1/30"]', 'r2-r1', true, 2, '{}', '{}', 'shop', 1);
INSERT INTO logical_router_port VALUES ('c2b7de2c-49d4-4fd3-8645-19b407da89a9', '79a11813-ed00-41b2-a5f4-5b2d2a468831', 'r2-r1', '0a:ee:ed:7c:80:57', '["10.9.0.2/30"]', 'r1-r2', true, 1, '{}', '{}', 'shop', 1);
INSERT INTO logical_switch VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web', 1, '10.0.1.0/24', NULL, '[]', '{}', '{}', 'shop', 1);
INSERT INTO logical_switch VALUES ('eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 'lab', 5, NULL, NULL, '[]', '{"team":"lab"}', '{}', NULL, 2);
INSERT INTO logical_switch VALUES ('58f03a6a-8391-4abe-972f-acd7b9d9e4c3', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 2, NULL, NULL, '[]', '{}', '{}', 'shop', 1);
INSERT INTO logical_switch_port VALUES ('a6f92696-8953-48ec-bfe7-2c926b96937a', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web-1', 'vif', '["dynamic"]', '0a:d4:c2:a8:66:e0 10.0.1.2', '[]', true, NULL, '[]', 1, '{}', '{}', 'shop', 1);
INSERT INTO logical_switch_port VALUES ('22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web-2', 'vif', '["0a:00:00:00:01:02 10.0.1.12"]', NULL, '[]', true, NULL, '[]', 2, '{}', '{}', 'shop', 1);
INSERT INTO logical_switch_port VALUES ('f01a85f1-92ca-4a6a-9ca6-47a09d0b05ad', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web-r', 'router', '["router"]', NULL, '[]', true, 'r1-web', '[]', 3, '{}', '{}', 'shop', 1);
INSERT INTO logical_switch_port VALUES ('a65cefb2-4350-4de9-bf11-310c342eacd8', '58f03a6a-8391-4abe-972f-acd7b9d9e4c3', 'db-1', 'vif', '[]', NULL, '[]', true, NULL, '[]', 1, '{}', '{}', 'shop', 1);
INSERT INTO logical_switch_port VALUES ('f71162dd-2039-4606-92cb-3edb19e1aefd', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 'lab-1', 'vif', '[]', NULL, '[]', true, NULL, '[]', 1, '{}', '{}', NULL, 2);
INSERT INTO logical_switch_port VALUES ('6721ab70-4223-4365-bfb1-cdd3c59ac51a', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 'bench', 'vif', '[]', NULL, '[]', true, NULL, '["hv1"]', 2, '{}', '{}', NULL, 3);
INSERT INTO port_group VALUES ('454b5949-0c94-4524-86ed-71223bf547d7', 'frontends', '{}', '{}', 'shop', 1);
INSERT INTO port_group VALUES ('fa71f1e0-ea65-4784-8e26-e1e3df2addf5', 'lab.all', '{}', '{}', NULL, 2);
INSERT INTO port_group_port VALUES ('454b5949-0c94-4524-86ed-71223bf547d7', '22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0');
INSERT INTO port_group_port VALUES ('454b5949-0c94-4524-86ed-71223bf547d7', 'a6f92696-8953-48ec-bfe7-2c926b96937a');
INSERT INTO port_group_port VALUES ('fa71f1e0-ea65-4784-8e26-e1e3df2addf5', '6721ab70-4223-4365-bfb1-cdd3c59ac51a');
INSERT INTO port_group_port VALUES ('fa71f1e0-ea65-4784-8e26-e1e3df2addf5', 'f71162dd-2039-4606-92cb-3edb19e1aefd');
INSERT INTO revision VALUES (1, '2026-11-26 18:08:44.171661+00', 'alice', 'open the shop');
INSERT INTO revision VALUES (2, '2026-11-26 18:08:44.219122+00', 'bob', '');
INSERT INTO revision VALUES (3, '2026-11-26 18:08:44.245975+00', 'bob', '');
INSERT INTO revision_counter VALUES (1, 3);
INSERT INTO southbound_chassis VALUES ('hv1', 'hv1.example.net', '[["geneve","192.0.2.11"]]', '{}', true);
INSERT INTO southbound_datapath VALUES ('f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'ls', 'web', 1);
INSERT INTO southbound_datapath VALUES ('eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 'ls', 'lab', 5);
INSERT INTO southbound_datapath VALUES ('58f03a6a-8391-4abe-972f-acd7b9d9e4c3', 'ls', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 2);
INSERT INTO southbound_datapath VALUES ('74177040-0fcd-477c-983c-da29fe9ccaba', 'lr', 'r1', 3);
INSERT INTO southbound_datapath VALUES ('79a11813-ed00-41b2-a5f4-5b2d2a468831', 'lr', 'r2', 4);
INSERT INTO southbound_port_binding VALUES ('a6f92696-8953-48ec-bfe7-2c926b96937a', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web-1', 1, 'vif', true, '["0a:d4:c2:a8:66:e0 10.0.1.2"]', '["_MC_flood","_MC_flood_l2"]', '', '', '[]', '{}', '[]');
INSERT INTO southbound_port_binding VALUES ('22bb5b76-4e2d-4f8b-9c93-1635a2b2edc0', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web-2', 2, 'vif', true, '["0a:00:00:00:01:02 10.0.1.12"]', '["_MC_flood","_MC_flood_l2"]', '', '', '[]', '{}', '[]');
INSERT INTO southbound_port_binding VALUES ('f01a85f1-92ca-4a6a-9ca6-47a09d0b05ad', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', 'web-r', 3, 'patch', true, '["0a:e5:63:b4:54:e4 10.0.1.1 fe80::8e5:63ff:feb4:54e4"]', '["_MC_flood"]', 'r1-web', '74177040-0fcd-477c-983c-da29fe9ccaba', '[]', '{}', '[]');
INSERT INTO southbound_port_binding VALUES ('a65cefb2-4350-4de9-bf11-310c342eacd8', '58f03a6a-8391-4abe-972f-acd7b9d9e4c3', 'db-1', 1, 'vif', true, '[]', '["_MC_flood","_MC_flood_l2"]', '', '', '[]', '{}', '[]');
INSERT INTO southbound_port_binding VALUES ('f71162dd-2039-4606-92cb-3edb19e1aefd', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 'lab-1', 1, 'vif', true, '[]', '["_MC_flood","_MC_flood_l2"]', '', '', '[]', '{}', '[]');
INSERT INTO southbound_port_binding VALUES ('6721ab70-4223-4365-bfb1-cdd3c59ac51a', 'eb7cff64-a109-4ad4-ac6e-df1170eb5d95', 'bench', 2, 'vif', true, '[]', '["_MC_flood","_MC_flood_l2"]', '', '', '["hv1"]', '{}', '[]');
INSERT INTO southbound_port_binding VALUES ('e09caf09-1f27-4e11-9ec7-a129ea7c1812', '74177040-0fcd-477c-983c-da29fe9ccaba', 'r1-web', 1, 'patch', true, '["0a:e5:63:b4:54:e4 10.0.1.1 fe80::8e5:63ff:feb4:54e4"]', '[]', 'web-r', 'f4e0d31f-f53f-4583-8a73-235f9b50e1c5', '[]', '{}', '["10.0.1.0/24","fe80::/64"]');
INSERT INTO southbound_port_binding VALUES ('9de65f29-d4d8-4aa3-9281-55c6032c82df', '74177040-0fcd-477c-983c-da29fe9ccaba', 'r1-r2', 2, 'patch', true, '["0a:5e:1d:00:04:d6 10.9.0.1 fe80::85e:1dff:fe00:4d6"]', '[]', 'r2-r1', '79a11813-ed00-41b2-a5f4-5b2d2a468831', '[]', '{}', '["10.9.0.0/30","fe80::/64"]');
INSERT INTO southbound_port_binding VALUES ('c2b7de2c-49d4-4fd3-8645-19b407da89a9', '79a11813-ed00-41b2-a5f4-5b2d2a468831', 'r2-r1', 1, 'patch', true, '["0a:ee:ed:7c:80:57 10.9.0.2 fe80::8ee:edff:fe7c:8057"]', '[]', 'r1-r2', '74177040-0fcd-477c-983c-da29fe9ccaba', '[]', '{}', '["10.9.0.0/30","fe80::/64"]');
INSERT INTO southbound_port_fact VALUES ('a6f92696-8953-48ec-bfe7-2c926b96937a', 'hv1', true);
INSERT INTO southbound_progress VALUES (1, 3, 21);
INSERT INTO southbound_set_member VALUES ('$offices', '192.0.2.0/24');
INSERT INTO southbound_set_member VALUES ('@frontends', 'web-2');
INSERT INTO southbound_set_member VALUES ('$frontends_ip4', '10.0.1.12');
INSERT INTO southbound_set_member VALUES ('@frontends', 'web-1');
INSERT INTO southbound_set_member VALUES ('$frontends_ip4', '10.0.1.2');
INSERT INTO southbound_set_member VALUES ('@lab.all', 'bench');
INSERT INTO southbound_set_member VALUES ('@lab.all', 'lab-1');
INSERT INTO static_route VALUES ('046378ff-95bb-4ddc-afd2-f2265e20b974', '74177040-0fcd-477c-983c-da29fe9ccaba', '10.8.0.0/16', '10.9.0.2', NULL, 'dst-ip', '{}', '{}', 'shop', 1);
ALTER TABLE ONLY alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY acl
    ADD CONSTRAINT pk_acl PRIMARY KEY (id);
ALTER TABLE ONLY acl_reference
    ADD CONSTRAINT pk_acl_reference PRIMARY KEY (acl_id, target);
ALTER TABLE ONLY address_claim
    ADD CONSTRAINT pk_address_claim PRIMARY KEY (logical_switch_id, address);
ALTER TABLE ONLY address_set
    ADD CONSTRAINT pk_address_set PRIMARY KEY (id);
ALTER TABLE ONLY address_set_address
    ADD CONSTRAINT pk_address_set_address PRIMARY KEY (address_set_id, address);
ALTER TABLE ONLY allocation_cursor
    ADD CONSTRAINT pk_allocation_cursor PRIMARY KEY (pool);
ALTER TABLE ONLY api_token
    ADD CONSTRAINT pk_api_token PRIMARY KEY (id);
ALTER TABLE ONLY change
    ADD CONSTRAINT pk_change PRIMARY KEY (revision, seq);
ALTER TABLE ONLY logical_router
    ADD CONSTRAINT pk_logical_router PRIMARY KEY (id);
ALTER TABLE ONLY logical_router_port
    ADD CONSTRAINT pk_logical_router_port PRIMARY KEY (id);
ALTER TABLE ONLY logical_switch
    ADD CONSTRAINT pk_logical_switch PRIMARY KEY (id);
ALTER TABLE ONLY logical_switch_port
    ADD CONSTRAINT pk_logical_switch_port PRIMARY KEY (id);
ALTER TABLE ONLY port_group
    ADD CONSTRAINT pk_port_group PRIMARY KEY (id);
ALTER TABLE ONLY port_group_port
    ADD CONSTRAINT pk_port_group_port PRIMARY KEY (port_group_id, logical_switch_port_id);
ALTER TABLE ONLY revision
    ADD CONSTRAINT pk_revision PRIMARY KEY (id);
ALTER TABLE ONLY revision_counter
    ADD CONSTRAINT pk_revision_counter PRIMARY KEY (id);
ALTER TABLE ONLY southbound_chassis
    ADD CONSTRAINT pk_southbound_chassis PRIMARY KEY (name);
ALTER TABLE ONLY southbound_datapath
    ADD CONSTRAINT pk_southbound_datapath PRIMARY KEY (id);
ALTER TABLE ONLY southbound_fdb
    ADD CONSTRAINT pk_southbound_fdb PRIMARY KEY (datapath, mac);
ALTER TABLE ONLY southbound_flow_group
    ADD CONSTRAINT pk_southbound_flow_group PRIMARY KEY (id);
ALTER TABLE ONLY southbound_mac_binding
    ADD CONSTRAINT pk_southbound_mac_binding PRIMARY KEY (port, ip);
ALTER TABLE ONLY southbound_port_binding
    ADD CONSTRAINT pk_southbound_port_binding PRIMARY KEY (id);
ALTER TABLE ONLY southbound_port_fact
    ADD CONSTRAINT pk_southbound_port_fact PRIMARY KEY (id);
ALTER TABLE ONLY southbound_progress
    ADD CONSTRAINT pk_southbound_progress PRIMARY KEY (id);
ALTER TABLE ONLY southbound_set_member
    ADD CONSTRAINT pk_southbound_set_member PRIMARY KEY (set, member);
ALTER TABLE ONLY southbound_template
    ADD CONSTRAINT pk_southbound_template PRIMARY KEY (id);
ALTER TABLE ONLY static_route
    ADD CONSTRAINT pk_static_route PRIMARY KEY (id);
ALTER TABLE ONLY address_set
    ADD CONSTRAINT uq_address_set_name UNIQUE (name);
ALTER TABLE ONLY api_token
    ADD CONSTRAINT uq_api_token_digest UNIQUE (digest);
ALTER TABLE ONLY api_token
    ADD CONSTRAINT uq_api_token_name UNIQUE (name);
ALTER TABLE ONLY logical_router
    ADD CONSTRAINT uq_logical_router_name UNIQUE (name);
ALTER TABLE ONLY logical_router_port
    ADD CONSTRAINT uq_logical_router_port_logical_router_id_tunnel_key UNIQUE (logical_router_id, tunnel_key);
ALTER TABLE ONLY logical_router_port
    ADD CONSTRAINT uq_logical_router_port_name UNIQUE (name);
ALTER TABLE ONLY logical_router
    ADD CONSTRAINT uq_logical_router_tunnel_key UNIQUE (tunnel_key);
ALTER TABLE ONLY logical_switch
    ADD CONSTRAINT uq_logical_switch_name UNIQUE (name);
ALTER TABLE ONLY logical_switch_port
    ADD CONSTRAINT uq_logical_switch_port_logical_switch_id_tunnel_key UNIQUE (logical_switch_id, tunnel_key);
ALTER TABLE ONLY logical_switch_port
    ADD CONSTRAINT uq_logical_switch_port_name UNIQUE (name);
ALTER TABLE ONLY logical_switch
    ADD CONSTRAINT uq_logical_switch_tunnel_key UNIQUE (tunnel_key);
ALTER TABLE ONLY port_group
    ADD CONSTRAINT uq_port_group_name UNIQUE (name);
CREATE INDEX ix_acl_document ON acl USING btree (document);
CREATE INDEX ix_acl_logical_switch_id ON acl USING btree (logical_switch_id);
CREATE INDEX ix_acl_port_group_id ON acl USING btree (port_group_id);
CREATE INDEX ix_acl_reference_target ON acl_reference USING btree (target);
CREATE INDEX ix_address_claim_logical_switch_id_number ON address_claim USING btree (logical_switch_id, number);
CREATE INDEX ix_address_claim_logical_switch_port_id ON address_claim USING btree (logical_switch_port_id);
CREATE INDEX ix_address_set_document ON address_set USING btree (document);
CREATE INDEX ix_change_table_object_id ON change USING btree ("table", object_id);
CREATE INDEX ix_logical_router_document ON logical_router USING btree (document);
CREATE INDEX ix_logical_router_port_document ON logical_router_port USING btree (document);
CREATE INDEX ix_logical_router_port_logical_router_id ON logical_router_port USING btree (logical_router_id);
CREATE INDEX ix_logical_router_port_peer ON logical_router_port USING btree (peer);
CREATE INDEX ix_logical_switch_document ON logical_switch USING btree (document);
CREATE INDEX ix_logical_switch_port_document ON logical_switch_port USING btree (document);
CREATE INDEX ix_logical_switch_port_logical_switch_id ON logical_switch_port USING btree (logical_switch_id);
CREATE INDEX ix_logical_switch_port_router_port ON logical_switch_port USING btree (router_port);
CREATE INDEX ix_port_group_document ON port_group USING btree (document);
CREATE INDEX ix_port_group_port_logical_switch_port_id ON port_group_port USING btree (logical_switch_port_id);
CREATE INDEX ix_southbound_fdb_port ON southbound_fdb USING btree (port);
CREATE INDEX ix_southbound_flow_group_cause_id ON southbound_flow_group USING btree (cause_id);
CREATE INDEX ix_southbound_flow_group_datapath ON southbound_flow_group USING btree (datapath);
CREATE INDEX ix_southbound_mac_binding_datapath ON southbound_mac_binding USING btree (datapath);
CREATE INDEX ix_southbound_port_binding_datapath ON southbound_port_binding USING btree (datapath);
CREATE INDEX ix_southbound_port_binding_name ON southbound_port_binding USING btree (name);
CREATE INDEX ix_southbound_port_fact_chassis ON southbound_port_fact USING btree (chassis);
CREATE INDEX ix_static_route_document ON static_route USING btree (document);
CREATE INDEX ix_static_route_logical_router_id ON static_route USING btree (logical_router_id);
CREATE INDEX ix_static_route_output_port ON static_route USING btree (output_port);
ALTER TABLE ONLY acl
    ADD CONSTRAINT fk_acl_logical_switch_id FOREIGN KEY (logical_switch_id) REFERENCES logical_switch(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY acl
    ADD CONSTRAINT fk_acl_port_group_id FOREIGN KEY (port_group_id) REFERENCES port_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY acl_reference
    ADD CONSTRAINT fk_acl_reference_acl_id FOREIGN KEY (acl_id) REFERENCES acl(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY address_claim
    ADD CONSTRAINT fk_address_claim_logical_switch_id FOREIGN KEY (logical_switch_id) REFERENCES logical_switch(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY address_claim
    ADD CONSTRAINT fk_address_claim_logical_switch_port_id FOREIGN KEY (logical_switch_port_id) REFERENCES logical_switch_port(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY address_set_address
    ADD CONSTRAINT fk_address_set_address_address_set_id FOREIGN KEY (address_set_id) REFERENCES address_set(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY change
    ADD CONSTRAINT fk_change_revision FOREIGN KEY (revision) REFERENCES revision(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY logical_router_port
    ADD CONSTRAINT fk_logical_router_port_logical_router_id FOREIGN KEY (logical_router_id) REFERENCES logical_router(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY logical_switch_port
    ADD CONSTRAINT fk_logical_switch_port_logical_switch_id FOREIGN KEY (logical_switch_id) REFERENCES logical_switch(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY port_group_port
    ADD CONSTRAINT fk_port_group_port_logical_switch_port_id FOREIGN KEY (logical_switch_port_id) REFERENCES logical_switch_port(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY port_group_port
    ADD CONSTRAINT fk_port_group_port_port_group_id FOREIGN KEY (port_group_id) REFERENCES port_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY static_route
    ADD CONSTRAINT fk_static_route_logical_router_id FOREIGN KEY (logical_router_id) REFERENCES logical_router(id) DEFERRABLE INITIALLY DEFERRED;
