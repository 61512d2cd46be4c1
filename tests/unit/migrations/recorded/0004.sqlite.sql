BEGIN TRANSACTION;
CREATE TABLE acl (
	id VARCHAR(36) NOT NULL, 
	logical_switch_id VARCHAR(36), 
	port_group_id VARCHAR(36), 
	name VARCHAR(255) NOT NULL, 
	direction VARCHAR NOT NULL, 
	tier INTEGER NOT NULL, 
	priority INTEGER NOT NULL, 
	"match" VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	log BOOLEAN NOT NULL, 
	severity VARCHAR NOT NULL, 
	meter VARCHAR, 
	label BIGINT NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_acl PRIMARY KEY (id), 
	CONSTRAINT ck_acl_one_owner CHECK ((logical_switch_id IS NULL) <> (port_group_id IS NULL)), 
	CONSTRAINT fk_acl_logical_switch_id FOREIGN KEY(logical_switch_id) REFERENCES logical_switch (id) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT fk_acl_port_group_id FOREIGN KEY(port_group_id) REFERENCES port_group (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "acl" VALUES('fac10ca3-3a3a-4233-ae2a-4e1527a2cdda','25877d86-2b4c-4864-9aac-adb859760f39',NULL,'','from-lport',0,1,'udp','drop',0,'info',NULL,0,'{}','{}','shop',1);
INSERT INTO "acl" VALUES('50eb66a0-3391-4250-b9cb-eff3792efbad',NULL,'6fa868bf-c4fb-4153-b00b-1c8bc19456da','','to-lport',0,9,'outport == @frontends && ip4.src == $offices','allow-related',0,'info',NULL,0,'{}','{}','shop',1);
INSERT INTO "acl" VALUES('aac1cc5d-a9d0-4307-9108-a58bd0718ff9',NULL,'078434f1-4fca-4ab2-91af-1d52910cfc9e','shut','to-lport',0,7,'outport == @lab.all && ip4.src == $lab.all_ip4 && ip4.dst != $offices','drop',0,'info',NULL,0,'{}','{}',NULL,2);
CREATE TABLE acl_reference (
	acl_id VARCHAR(36) NOT NULL, 
	target VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_acl_reference PRIMARY KEY (acl_id, target), 
	CONSTRAINT fk_acl_reference_acl_id FOREIGN KEY(acl_id) REFERENCES acl (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "acl_reference" VALUES('50eb66a0-3391-4250-b9cb-eff3792efbad','$offices');
INSERT INTO "acl_reference" VALUES('50eb66a0-3391-4250-b9cb-eff3792efbad','@frontends');
INSERT INTO "acl_reference" VALUES('aac1cc5d-a9d0-4307-9108-a58bd0718ff9','$offices');
INSERT INTO "acl_reference" VALUES('aac1cc5d-a9d0-4307-9108-a58bd0718ff9','@lab.all');
CREATE TABLE address_claim (
	logical_switch_id VARCHAR(36) NOT NULL, 
	address VARCHAR NOT NULL, 
	logical_switch_port_id VARCHAR(36) NOT NULL, 
	number BIGINT, 
	CONSTRAINT pk_address_claim PRIMARY KEY (logical_switch_id, address), 
	CONSTRAINT fk_address_claim_logical_switch_id FOREIGN KEY(logical_switch_id) REFERENCES logical_switch (id) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT fk_address_claim_logical_switch_port_id FOREIGN KEY(logical_switch_port_id) REFERENCES logical_switch_port (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "address_claim" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','0a:bf:7d:fc:0a:b3','0f4d70b3-a40a-4d8f-a548-d36d87deef86',NULL);
INSERT INTO "address_claim" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','10.0.1.2','0f4d70b3-a40a-4d8f-a548-d36d87deef86',167772418);
INSERT INTO "address_claim" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','0a:00:00:00:01:02','b6d2c516-0c94-460d-a0ff-9761ec0396fe',NULL);
INSERT INTO "address_claim" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','10.0.1.12','b6d2c516-0c94-460d-a0ff-9761ec0396fe',167772428);
INSERT INTO "address_claim" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','0a:3e:bb:79:16:8e','3b2ea747-0159-4190-8148-f2fd67cfe3a9',NULL);
INSERT INTO "address_claim" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','10.0.1.1','3b2ea747-0159-4190-8148-f2fd67cfe3a9',167772417);
CREATE TABLE address_set (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_address_set PRIMARY KEY (id), 
	CONSTRAINT uq_address_set_name UNIQUE (name)
);
INSERT INTO "address_set" VALUES('5c833176-c298-4454-b192-35f759a02b70','offices','{}','{}','shop',1);
CREATE TABLE address_set_address (
	address_set_id VARCHAR(36) NOT NULL, 
	address VARCHAR NOT NULL, 
	CONSTRAINT pk_address_set_address PRIMARY KEY (address_set_id, address), 
	CONSTRAINT fk_address_set_address_address_set_id FOREIGN KEY(address_set_id) REFERENCES address_set (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "address_set_address" VALUES('5c833176-c298-4454-b192-35f759a02b70','192.0.2.0/24');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE allocation_cursor (
	pool VARCHAR(255) NOT NULL, 
	next BIGINT NOT NULL, 
	CONSTRAINT pk_allocation_cursor PRIMARY KEY (pool)
);
INSERT INTO "allocation_cursor" VALUES('datapath',7);
INSERT INTO "allocation_cursor" VALUES('port/cf15b641-844d-49f9-95ae-4d0fd21afc73',3);
INSERT INTO "allocation_cursor" VALUES('port/896ed3d6-88cd-4926-9d49-4606339f237c',2);
INSERT INTO "allocation_cursor" VALUES('port/25877d86-2b4c-4864-9aac-adb859760f39',4);
INSERT INTO "allocation_cursor" VALUES('ip4/25877d86-2b4c-4864-9aac-adb859760f39',167772419);
INSERT INTO "allocation_cursor" VALUES('port/8832f703-128f-4f3e-9f49-5e385ef7ddd5',2);
INSERT INTO "allocation_cursor" VALUES('port/437be6bd-8b53-40f2-bfaf-26e24debe696',3);
CREATE TABLE api_token (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	role VARCHAR NOT NULL, 
	chassis VARCHAR(255), 
	digest VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	expires_at DATETIME, hostname VARCHAR(255), encap_ips TEXT DEFAULT '[]' NOT NULL, 
	CONSTRAINT pk_api_token PRIMARY KEY (id), 
	CONSTRAINT uq_api_token_digest UNIQUE (digest), 
	CONSTRAINT uq_api_token_name UNIQUE (name)
);
INSERT INTO "api_token" VALUES('1b98a991-722d-4d58-bc46-3ee3507a1746','root','admin',NULL,'563c77fbca0383219722e284542de732abda4e00d830143ac6c2b0b1c9a14e0a','2026-11-26 18:08:41.932685',NULL,NULL,'[]');
INSERT INTO "api_token" VALUES('002b9a2b-30b8-4779-8fcb-1f961d9e8e04','ops','operator',NULL,'53ab486b08b2736cb0134a1499eadcea06dd6be11d61173ecbd9ddc5c150859a','2026-11-26 18:08:41.933892','2030-01-01 00:00:00.000000',NULL,'[]');
INSERT INTO "api_token" VALUES('54384892-e747-4a39-9e44-6b4a15a02555','hv1','chassis','hv1','b2d6004404ed8bb1317290c0b89301326ad6f204eb94cf5071e94dfc3a28a9eb','2026-11-26 18:08:41.934355',NULL,'hv1.example.net','["192.0.2.11"]');
CREATE TABLE change (
	revision BIGINT NOT NULL, 
	seq INTEGER NOT NULL, 
	"table" VARCHAR(255) NOT NULL, 
	object_id VARCHAR(255) NOT NULL, 
	"before" JSON, 
	"after" JSON, 
	CONSTRAINT pk_change PRIMARY KEY (revision, seq), 
	CONSTRAINT fk_change_revision FOREIGN KEY(revision) REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "change" VALUES(1,0,'logical_switch','25877d86-2b4c-4864-9aac-adb859760f39',NULL,'{"id":"25877d86-2b4c-4864-9aac-adb859760f39","name":"web","tunnel_key":1,"subnet4":"10.0.1.0/24","subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,1,'logical_switch','8832f703-128f-4f3e-9f49-5e385ef7ddd5',NULL,'{"id":"8832f703-128f-4f3e-9f49-5e385ef7ddd5","name":"db","tunnel_key":2,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,2,'logical_router','cf15b641-844d-49f9-95ae-4d0fd21afc73',NULL,'{"id":"cf15b641-844d-49f9-95ae-4d0fd21afc73","name":"r1","enabled":true,"tunnel_key":3,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,3,'logical_router','896ed3d6-88cd-4926-9d49-4606339f237c',NULL,'{"id":"896ed3d6-88cd-4926-9d49-4606339f237c","name":"r2","enabled":true,"tunnel_key":4,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,4,'logical_router_port','15c30536-f401-4b7a-9820-9923eb76fd27',NULL,'{"id":"15c30536-f401-4b7a-9820-9923eb76fd27","logical_router_id":"cf15b641-844d-49f9-95ae-4d0fd21afc73","name":"r1-web","mac":"0a:3e:bb:79:16:8e","networks":["10.0.1.1/24"],"peer":null,"enabled":true,"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,5,'logical_router_port','66e92e06-73b3-4e1e-b4e6-dbb16fad63c2',NULL,'{"id":"66e92e06-73b3-4e1e-b4e6-dbb16fad63c2","logical_router_id":"cf15b641-844d-49f9-95ae-4d0fd21afc73","name":"r1-r2","mac":"0a:e8:a3:fe:c7:1b","networks":["10.9.0.1/30"],"peer":"r2-r1","enabled":true,"tunnel_key":2,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,6,'logical_router_port','0a4b88d5-fecc-472e-b6ba-34b349b76236',NULL,'{"id":"0a4b88d5-fecc-472e-b6ba-34b349b76236","logical_router_id":"896ed3d6-88cd-4926-9d49-4606339f237c","name":"r2-r1","mac":"0a:40:8f:f7:f2:5c","networks":["10.9.0.2/30"],"peer":"r1-r2","enabled":true,"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,7,'logical_switch_port','0f4d70b3-a40a-4d8f-a548-d36d87deef86',NULL,'{"id":"0f4d70b3-a40a-4d8f-a548-d36d87deef86","logical_switch_id":"25877d86-2b4c-4864-9aac-adb859760f39","name":"web-1","type":"vif","addresses":["dynamic"],"dynamic_addresses":"0a:bf:7d:fc:0a:b3 10.0.1.2","port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,8,'logical_switch_port','b6d2c516-0c94-460d-a0ff-9761ec0396fe',NULL,'{"id":"b6d2c516-0c94-460d-a0ff-9761ec0396fe","logical_switch_id":"25877d86-2b4c-4864-9aac-adb859760f39","name":"web-2","type":"vif","addresses":["0a:00:00:00:01:02 10.0.1.12"],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":2,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,9,'logical_switch_port','3b2ea747-0159-4190-8148-f2fd67cfe3a9',NULL,'{"id":"3b2ea747-0159-4190-8148-f2fd67cfe3a9","logical_switch_id":"25877d86-2b4c-4864-9aac-adb859760f39","name":"web-r","type":"router","addresses":["router"],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":"r1-web","requested_chassis":[],"tunnel_key":3,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,10,'logical_switch_port','d659fcc8-6470-442c-9f03-214a51f4b4b4',NULL,'{"id":"d659fcc8-6470-442c-9f03-214a51f4b4b4","logical_switch_id":"8832f703-128f-4f3e-9f49-5e385ef7ddd5","name":"db-1","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":1,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,11,'static_route','3885e9f1-dcc2-44ca-aeeb-627b139f06d5',NULL,'{"id":"3885e9f1-dcc2-44ca-aeeb-627b139f06d5","logical_router_id":"cf15b641-844d-49f9-95ae-4d0fd21afc73","ip_prefix":"10.8.0.0/16","nexthop":"10.9.0.2","output_port":null,"policy":"dst-ip","labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,12,'port_group','6fa868bf-c4fb-4153-b00b-1c8bc19456da',NULL,'{"id":"6fa868bf-c4fb-4153-b00b-1c8bc19456da","name":"frontends","labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,13,'port_group_port','6fa868bf-c4fb-4153-b00b-1c8bc19456da/0f4d70b3-a40a-4d8f-a548-d36d87deef86',NULL,'{"port_group_id":"6fa868bf-c4fb-4153-b00b-1c8bc19456da","logical_switch_port_id":"0f4d70b3-a40a-4d8f-a548-d36d87deef86"}');
INSERT INTO "change" VALUES(1,14,'port_group_port','6fa868bf-c4fb-4153-b00b-1c8bc19456da/b6d2c516-0c94-460d-a0ff-9761ec0396fe',NULL,'{"port_group_id":"6fa868bf-c4fb-4153-b00b-1c8bc19456da","logical_switch_port_id":"b6d2c516-0c94-460d-a0ff-9761ec0396fe"}');
INSERT INTO "change" VALUES(1,15,'address_set','5c833176-c298-4454-b192-35f759a02b70',NULL,'{"id":"5c833176-c298-4454-b192-35f759a02b70","name":"offices","labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,16,'address_set_address','5c833176-c298-4454-b192-35f759a02b70/192.0.2.0/24',NULL,'{"address_set_id":"5c833176-c298-4454-b192-35f759a02b70","address":"192.0.2.0/24"}');
INSERT INTO "change" VALUES(1,17,'acl','fac10ca3-3a3a-4233-ae2a-4e1527a2cdda',NULL,'{"id":"fac10ca3-3a3a-4233-ae2a-4e1527a2cdda","logical_switch_id":"25877d86-2b4c-4864-9aac-adb859760f39","port_group_id":null,"name":"","direction":"from-lport","tier":0,"priority":1,"match":"udp","action":"drop","log":false,"severity":"info","meter":null,"label":0,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(1,18,'acl','50eb66a0-3391-4250-b9cb-eff3792efbad',NULL,'{"id":"50eb66a0-3391-4250-b9cb-eff3792efbad","logical_switch_id":null,"port_group_id":"6fa868bf-c4fb-4153-b00b-1c8bc19456da","name":"","direction":"to-lport","tier":0,"priority":9,"match":"outport == @frontends && ip4.src == $offices","action":"allow-related","log":false,"severity":"info","meter":null,"label":0,"labels":{},"external_ids":{},"document":"shop"}');
INSERT INTO "change" VALUES(2,0,'logical_switch','437be6bd-8b53-40f2-bfaf-26e24debe696',NULL,'{"id":"437be6bd-8b53-40f2-bfaf-26e24debe696","name":"lab","tunnel_key":5,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{"team":"lab"},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(2,1,'logical_switch','624cd81b-bcb1-482d-a36e-77628b2270c7',NULL,'{"id":"624cd81b-bcb1-482d-a36e-77628b2270c7","name":"gone","tunnel_key":6,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(2,2,'logical_switch_port','6e85458d-8c2d-4012-94ef-ddd3654f39d2',NULL,'{"id":"6e85458d-8c2d-4012-94ef-ddd3654f39d2","logical_switch_id":"437be6bd-8b53-40f2-bfaf-26e24debe696","name":"lab-1","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":1,"labels":{},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(2,3,'logical_switch_port','d9ea63f7-6fdb-463a-8729-3b7f5ce79bad',NULL,'{"id":"d9ea63f7-6fdb-463a-8729-3b7f5ce79bad","logical_switch_id":"437be6bd-8b53-40f2-bfaf-26e24debe696","name":"lab-2","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":2,"labels":{},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(2,4,'port_group','078434f1-4fca-4ab2-91af-1d52910cfc9e',NULL,'{"id":"078434f1-4fca-4ab2-91af-1d52910cfc9e","name":"lab.all","labels":{},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(2,5,'port_group_port','078434f1-4fca-4ab2-91af-1d52910cfc9e/6e85458d-8c2d-4012-94ef-ddd3654f39d2',NULL,'{"port_group_id":"078434f1-4fca-4ab2-91af-1d52910cfc9e","logical_switch_port_id":"6e85458d-8c2d-4012-94ef-ddd3654f39d2"}');
INSERT INTO "change" VALUES(2,6,'port_group_port','078434f1-4fca-4ab2-91af-1d52910cfc9e/d9ea63f7-6fdb-463a-8729-3b7f5ce79bad',NULL,'{"port_group_id":"078434f1-4fca-4ab2-91af-1d52910cfc9e","logical_switch_port_id":"d9ea63f7-6fdb-463a-8729-3b7f5ce79bad"}');
INSERT INTO "change" VALUES(2,7,'acl','aac1cc5d-a9d0-4307-9108-a58bd0718ff9',NULL,'{"id":"aac1cc5d-a9d0-4307-9108-a58bd0718ff9","logical_switch_id":null,"port_group_id":"078434f1-4fca-4ab2-91af-1d52910cfc9e","name":"shut","direction":"to-lport","tier":0,"priority":7,"match":"outport == @lab.all && ip4.src == $lab.all_ip4 && ip4.dst != $offices","action":"drop","log":false,"severity":"info","meter":null,"label":0,"labels":{},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(3,0,'logical_switch_port','d9ea63f7-6fdb-463a-8729-3b7f5ce79bad','{"id":"d9ea63f7-6fdb-463a-8729-3b7f5ce79bad","logical_switch_id":"437be6bd-8b53-40f2-bfaf-26e24debe696","name":"lab-2","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":[],"tunnel_key":2,"labels":{},"external_ids":{},"document":null}','{"id":"d9ea63f7-6fdb-463a-8729-3b7f5ce79bad","logical_switch_id":"437be6bd-8b53-40f2-bfaf-26e24debe696","name":"bench","type":"vif","addresses":[],"dynamic_addresses":null,"port_security":[],"enabled":true,"router_port":null,"requested_chassis":["hv1"],"tunnel_key":2,"labels":{},"external_ids":{},"document":null}');
INSERT INTO "change" VALUES(3,1,'logical_switch','624cd81b-bcb1-482d-a36e-77628b2270c7','{"id":"624cd81b-bcb1-482d-a36e-77628b2270c7","name":"gone","tunnel_key":6,"subnet4":null,"subnet6":null,"exclude_ips":[],"labels":{},"external_ids":{},"document":null}',NULL);
CREATE TABLE logical_router (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	tunnel_key INTEGER NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_logical_router PRIMARY KEY (id), 
	CONSTRAINT uq_logical_router_name UNIQUE (name), 
	CONSTRAINT uq_logical_router_tunnel_key UNIQUE (tunnel_key)
);
INSERT INTO "logical_router" VALUES('cf15b641-844d-49f9-95ae-4d0fd21afc73','r1',1,3,'{}','{}','shop',1);
INSERT INTO "logical_router" VALUES('896ed3d6-88cd-4926-9d49-4606339f237c','r2',1,4,'{}','{}','shop',1);
CREATE TABLE logical_router_port (
	id VARCHAR(36) NOT NULL, 
	logical_router_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	mac VARCHAR NOT NULL, 
	networks JSON NOT NULL, 
	peer VARCHAR(255), 
	enabled BOOLEAN NOT NULL, 
	tunnel_key INTEGER NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_logical_router_port PRIMARY KEY (id), 
	CONSTRAINT fk_logical_router_port_logical_router_id FOREIGN KEY(logical_router_id) REFERENCES logical_router (id) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT uq_logical_router_port_logical_router_id_tunnel_key UNIQUE (logical_router_id, tunnel_key), 
	CONSTRAINT uq_logical_router_port_name UNIQUE (name)
);
INSERT INTO "logical_router_port" VALUES('15c30536-f401-4b7a-9820-9923eb76fd27','cf15b641-844d-49f9-95ae-4d0fd21afc73','r1-web','0a:3e:bb:79:16:8e','["10.0.1.1/24"]',NULL,1,1,'{}','{}','shop',1);
INSERT INTO "logical_router_port" VALUES('66e92e06-73b3-4e1e-b4e6-dbb16fad63c2','cf15b641-844d-49f9-95ae-4d0fd21afc73','r1-r2','0a:e8:a3:fe:c7:1b','["10.9.0.1/30"]','r2-r1',1,2,'{}','{}','shop',1);
INSERT INTO "logical_router_port" VALUES('0a4b88d5-fecc-472e-b6ba-34b349b76236','896ed3d6-88cd-4926-9d49-4606339f237c','r2-r1','0a:40:8f:f7:f2:5c','["10.9.0.2/30"]','r1-r2',1,1,'{}','{}','shop',1);
CREATE TABLE logical_switch (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	tunnel_key INTEGER NOT NULL, 
	subnet4 VARCHAR, 
	subnet6 VARCHAR, 
	exclude_ips JSON NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_logical_switch PRIMARY KEY (id), 
	CONSTRAINT uq_logical_switch_name UNIQUE (name), 
	CONSTRAINT uq_logical_switch_tunnel_key UNIQUE (tunnel_key)
);
INSERT INTO "logical_switch" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','web',1,'10.0.1.0/24',NULL,'[]','{}','{}','shop',1);
INSERT INTO "logical_switch" VALUES('8832f703-128f-4f3e-9f49-5e385ef7ddd5','437be6bd-8b53-40f2-bfaf-26e24debe696',2,NULL,NULL,'[]','{}','{}','shop',1);
INSERT INTO "logical_switch" VALUES('437be6bd-8b53-40f2-bfaf-26e24debe696','lab',5,NULL,NULL,'[]','{"team":"lab"}','{}',NULL,2);
CREATE TABLE logical_switch_port (
	id VARCHAR(36) NOT NULL, 
	logical_switch_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	type VARCHAR NOT NULL, 
	addresses JSON NOT NULL, 
	dynamic_addresses VARCHAR, 
	port_security JSON NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	router_port VARCHAR(255), 
	requested_chassis JSON NOT NULL, 
	tunnel_key INTEGER NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_logical_switch_port PRIMARY KEY (id), 
	CONSTRAINT fk_logical_switch_port_logical_switch_id FOREIGN KEY(logical_switch_id) REFERENCES logical_switch (id) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT uq_logical_switch_port_logical_switch_id_tunnel_key UNIQUE (logical_switch_id, tunnel_key), 
	CONSTRAINT uq_logical_switch_port_name UNIQUE (name)
);
INSERT INTO "logical_switch_port" VALUES('0f4d70b3-a40a-4d8f-a548-d36d87deef86','25877d86-2b4c-4864-9aac-adb859760f39','web-1','vif','["dynamic"]','0a:bf:7d:fc:0a:b3 10.0.1.2','[]',1,NULL,'[]',1,'{}','{}','shop',1);
INSERT INTO "logical_switch_port" VALUES('b6d2c516-0c94-460d-a0ff-9761ec0396fe','25877d86-2b4c-4864-9aac-adb859760f39','web-2','vif','["0a:00:00:00:01:02 10.0.1.12"]',NULL,'[]',1,NULL,'[]',2,'{}','{}','shop',1);
INSERT INTO "logical_switch_port" VALUES('3b2ea747-0159-4190-8148-f2fd67cfe3a9','25877d86-2b4c-4864-9aac-adb859760f39','web-r','router','["router"]',NULL,'[]',1,'r1-web','[]',3,'{}','{}','shop',1);
INSERT INTO "logical_switch_port" VALUES('d659fcc8-6470-442c-9f03-214a51f4b4b4','8832f703-128f-4f3e-9f49-5e385ef7ddd5','db-1','vif','[]',NULL,'[]',1,NULL,'[]',1,'{}','{}','shop',1);
INSERT INTO "logical_switch_port" VALUES('6e85458d-8c2d-4012-94ef-ddd3654f39d2','437be6bd-8b53-40f2-bfaf-26e24debe696','lab-1','vif','[]',NULL,'[]',1,NULL,'[]',1,'{}','{}',NULL,2);
INSERT INTO "logical_switch_port" VALUES('d9ea63f7-6fdb-463a-8729-3b7f5ce79bad','437be6bd-8b53-40f2-bfaf-26e24debe696','bench','vif','[]',NULL,'[]',1,NULL,'["hv1"]',2,'{}','{}',NULL,3);
CREATE TABLE port_group (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_port_group PRIMARY KEY (id), 
	CONSTRAINT uq_port_group_name UNIQUE (name)
);
INSERT INTO "port_group" VALUES('6fa868bf-c4fb-4153-b00b-1c8bc19456da','frontends','{}','{}','shop',1);
INSERT INTO "port_group" VALUES('078434f1-4fca-4ab2-91af-1d52910cfc9e','lab.all','{}','{}',NULL,2);
CREATE TABLE port_group_port (
	port_group_id VARCHAR(36) NOT NULL, 
	logical_switch_port_id VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_port_group_port PRIMARY KEY (port_group_id, logical_switch_port_id), 
	CONSTRAINT fk_port_group_port_logical_switch_port_id FOREIGN KEY(logical_switch_port_id) REFERENCES logical_switch_port (id) DEFERRABLE INITIALLY DEFERRED, 
	CONSTRAINT fk_port_group_port_port_group_id FOREIGN KEY(port_group_id) REFERENCES port_group (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "port_group_port" VALUES('6fa868bf-c4fb-4153-b00b-1c8bc19456da','0f4d70b3-a40a-4d8f-a548-d36d87deef86');
INSERT INTO "port_group_port" VALUES('6fa868bf-c4fb-4153-b00b-1c8bc19456da','b6d2c516-0c94-460d-a0ff-9761ec0396fe');
INSERT INTO "port_group_port" VALUES('078434f1-4fca-4ab2-91af-1d52910cfc9e','6e85458d-8c2d-4012-94ef-ddd3654f39d2');
INSERT INTO "port_group_port" VALUES('078434f1-4fca-4ab2-91af-1d52910cfc9e','d9ea63f7-6fdb-463a-8729-3b7f5ce79bad');
CREATE TABLE revision (
	id BIGINT NOT NULL, 
	created_at DATETIME NOT NULL, 
	author VARCHAR(255) NOT NULL, 
	comment VARCHAR NOT NULL, 
	CONSTRAINT pk_revision PRIMARY KEY (id)
);
INSERT INTO "revision" VALUES(1,'2026-11-26 18:08:41.869214','alice','open the shop');
INSERT INTO "revision" VALUES(2,'2026-11-26 18:08:41.899694','bob','');
INSERT INTO "revision" VALUES(3,'2026-11-26 18:08:41.918852','bob','');
CREATE TABLE revision_counter (
	id INTEGER NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_revision_counter PRIMARY KEY (id)
);
INSERT INTO "revision_counter" VALUES(1,3);
CREATE TABLE southbound_chassis (
	name VARCHAR(255) NOT NULL, 
	hostname VARCHAR(255) NOT NULL, 
	encaps TEXT NOT NULL, 
	external_ids TEXT NOT NULL, 
	alive BOOLEAN NOT NULL, 
	CONSTRAINT pk_southbound_chassis PRIMARY KEY (name)
);
INSERT INTO "southbound_chassis" VALUES('hv1','hv1.example.net','[["geneve","192.0.2.11"]]','{}',1);
CREATE TABLE southbound_datapath (
	id VARCHAR(36) NOT NULL, 
	kind VARCHAR(2) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	tunnel_key INTEGER NOT NULL, 
	CONSTRAINT pk_southbound_datapath PRIMARY KEY (id)
);
INSERT INTO "southbound_datapath" VALUES('25877d86-2b4c-4864-9aac-adb859760f39','ls','web',1);
INSERT INTO "southbound_datapath" VALUES('8832f703-128f-4f3e-9f49-5e385ef7ddd5','ls','437be6bd-8b53-40f2-bfaf-26e24debe696',2);
INSERT INTO "southbound_datapath" VALUES('437be6bd-8b53-40f2-bfaf-26e24debe696','ls','lab',5);
INSERT INTO "southbound_datapath" VALUES('cf15b641-844d-49f9-95ae-4d0fd21afc73','lr','r1',3);
INSERT INTO "southbound_datapath" VALUES('896ed3d6-88cd-4926-9d49-4606339f237c','lr','r2',4);
CREATE TABLE southbound_fdb (
	datapath VARCHAR(36) NOT NULL, 
	mac VARCHAR(17) NOT NULL, 
	port VARCHAR(255) NOT NULL, 
	chassis VARCHAR(255) NOT NULL, 
	learned_at DOUBLE NOT NULL, 
	CONSTRAINT pk_southbound_fdb PRIMARY KEY (datapath, mac)
);
CREATE TABLE southbound_flow_group (
	id BIGINT NOT NULL, 
	origin TEXT NOT NULL, 
	datapath VARCHAR(36) NOT NULL, 
	cause_kind VARCHAR(255) NOT NULL, 
	cause_id VARCHAR(255) NOT NULL, 
	revision BIGINT NOT NULL, 
	payload BLOB NOT NULL, 
	CONSTRAINT pk_southbound_flow_group PRIMARY KEY (id)
);
CREATE TABLE southbound_mac_binding (
	port VARCHAR(255) NOT NULL, 
	ip VARCHAR(45) NOT NULL, 
	datapath VARCHAR(36) NOT NULL, 
	mac VARCHAR(17) NOT NULL, 
	chassis VARCHAR(255) NOT NULL, 
	learned_at DOUBLE NOT NULL, 
	CONSTRAINT pk_southbound_mac_binding PRIMARY KEY (port, ip)
);
CREATE TABLE "southbound_port_binding" (
	id VARCHAR(36) NOT NULL, 
	datapath VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	tunnel_key INTEGER NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	addresses TEXT NOT NULL, 
	multicast TEXT NOT NULL, 
	peer VARCHAR(255) NOT NULL, 
	peer_datapath VARCHAR(36) NOT NULL, 
	requested_chassis TEXT NOT NULL, 
	options TEXT NOT NULL, 
	neighbours TEXT NOT NULL, 
	CONSTRAINT pk_southbound_port_binding PRIMARY KEY (id)
);
INSERT INTO "southbound_port_binding" VALUES('0f4d70b3-a40a-4d8f-a548-d36d87deef86','25877d86-2b4c-4864-9aac-adb859760f39','web-1',1,'vif',1,'["0a:bf:7d:fc:0a:b3 10.0.1.2"]','["_MC_flood","_MC_flood_l2"]','','','[]','{}','[]');
INSERT INTO "southbound_port_binding" VALUES('b6d2c516-0c94-460d-a0ff-9761ec0396fe','25877d86-2b4c-4864-9aac-adb859760f39','web-2',2,'vif',1,'["0a:00:00:00:01:02 10.0.1.12"]','["_MC_flood","_MC_flood_l2"]','','','[]','{}','[]');
INSERT INTO "southbound_port_binding" VALUES('3b2ea747-0159-4190-8148-f2fd67cfe3a9','25877d86-2b4c-4864-9aac-adb859760f39','web-r',3,'patch',1,'["0a:3e:bb:79:16:8e 10.0.1.1 fe80::83e:bbff:fe79:168e"]','["_MC_flood"]','r1-web','cf15b641-844d-49f9-95ae-4d0fd21afc73','[]','{}','[]');
INSERT INTO "southbound_port_binding" VALUES('d659fcc8-6470-442c-9f03-214a51f4b4b4','8832f703-128f-4f3e-9f49-5e385ef7ddd5','db-1',1,'vif',1,'[]','["_MC_flood","_MC_flood_l2"]','','','[]','{}','[]');
INSERT INTO "southbound_port_binding" VALUES('6e85458d-8c2d-4012-94ef-ddd3654f39d2','437be6bd-8b53-40f2-bfaf-26e24debe696','lab-1',1,'vif',1,'[]','["_MC_flood","_MC_flood_l2"]','','','[]','{}','[]');
INSERT INTO "southbound_port_binding" VALUES('d9ea63f7-6fdb-463a-8729-3b7f5ce79bad','437be6bd-8b53-40f2-bfaf-26e24debe696','bench',2,'vif',1,'[]','["_MC_flood","_MC_flood_l2"]','','','["hv1"]','{}','[]');
INSERT INTO "southbound_port_binding" VALUES('15c30536-f401-4b7a-9820-9923eb76fd27','cf15b641-844d-49f9-95ae-4d0fd21afc73','r1-web',1,'patch',1,'["0a:3e:bb:79:16:8e 10.0.1.1 fe80::83e:bbff:fe79:168e"]','[]','web-r','25877d86-2b4c-4864-9aac-adb859760f39','[]','{}','["10.0.1.0/24","fe80::/64"]');
INSERT INTO "southbound_port_binding" VALUES('66e92e06-73b3-4e1e-b4e6-dbb16fad63c2','cf15b641-844d-49f9-95ae-4d0fd21afc73','r1-r2',2,'patch',1,'["0a:e8:a3:fe:c7:1b 10.9.0.1 fe80::8e8:a3ff:fefe:c71b"]','[]','r2-r1','896ed3d6-88cd-4926-9d49-4606339f237c','[]','{}','["10.9.0.0/30","fe80::/64"]');
INSERT INTO "southbound_port_binding" VALUES('0a4b88d5-fecc-472e-b6ba-34b349b76236','896ed3d6-88cd-4926-9d49-4606339f237c','r2-r1',1,'patch',1,'["0a:40:8f:f7:f2:5c 10.9.0.2 fe80::840:8fff:fef7:f25c"]','[]','r1-r2','cf15b641-844d-49f9-95ae-4d0fd21afc73','[]','{}','["10.9.0.0/30","fe80::/64"]');
CREATE TABLE southbound_port_fact (
	id VARCHAR(36) NOT NULL, 
	chassis VARCHAR(255) NOT NULL, 
	up BOOLEAN NOT NULL, 
	CONSTRAINT pk_southbound_port_fact PRIMARY KEY (id)
);
INSERT INTO "southbound_port_fact" VALUES('0f4d70b3-a40a-4d8f-a548-d36d87deef86','hv1',1);
CREATE TABLE southbound_progress (
	id INTEGER NOT NULL, 
	revision BIGINT NOT NULL, 
	next_group_id BIGINT NOT NULL, 
	CONSTRAINT pk_southbound_progress PRIMARY KEY (id)
);
INSERT INTO "southbound_progress" VALUES(1,3,21);
CREATE TABLE southbound_set_member (
	"set" VARCHAR(255) NOT NULL, 
	member VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_southbound_set_member PRIMARY KEY ("set", member)
);
INSERT INTO "southbound_set_member" VALUES('$offices','192.0.2.0/24');
INSERT INTO "southbound_set_member" VALUES('@frontends','web-1');
INSERT INTO "southbound_set_member" VALUES('$frontends_ip4','10.0.1.2');
INSERT INTO "southbound_set_member" VALUES('@frontends','web-2');
INSERT INTO "southbound_set_member" VALUES('$frontends_ip4','10.0.1.12');
INSERT INTO "southbound_set_member" VALUES('@lab.all','lab-1');
INSERT INTO "southbound_set_member" VALUES('@lab.all','bench');
CREATE TABLE southbound_template (
	id BIGINT NOT NULL, 
	pipeline VARCHAR(255) NOT NULL, 
	stage VARCHAR(255) NOT NULL, 
	table_number INTEGER NOT NULL, 
	stage_default VARCHAR(255) NOT NULL, 
	priority TEXT NOT NULL, 
	"match" TEXT NOT NULL, 
	actions TEXT NOT NULL, 
	only TEXT NOT NULL, 
	CONSTRAINT pk_southbound_template PRIMARY KEY (id)
);
CREATE TABLE static_route (
	id VARCHAR(36) NOT NULL, 
	logical_router_id VARCHAR(36) NOT NULL, 
	ip_prefix VARCHAR NOT NULL, 
	nexthop VARCHAR NOT NULL, 
	output_port VARCHAR(255), 
	policy VARCHAR NOT NULL, 
	labels JSON NOT NULL, 
	external_ids JSON NOT NULL, 
	document VARCHAR(255), 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_static_route PRIMARY KEY (id), 
	CONSTRAINT fk_static_route_logical_router_id FOREIGN KEY(logical_router_id) REFERENCES logical_router (id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO "static_route" VALUES('3885e9f1-dcc2-44ca-aeeb-627b139f06d5','cf15b641-844d-49f9-95ae-4d0fd21afc73','10.8.0.0/16','10.9.0.2',NULL,'dst-ip','{}','{}','shop',1);
CREATE INDEX ix_address_set_document ON address_set (document);
CREATE INDEX ix_logical_router_document ON logical_router (document);
CREATE INDEX ix_logical_switch_document ON logical_switch (document);
CREATE INDEX ix_port_group_document ON port_group (document);
CREATE INDEX ix_acl_document ON acl (document);
CREATE INDEX ix_acl_logical_switch_id ON acl (logical_switch_id);
CREATE INDEX ix_acl_port_group_id ON acl (port_group_id);
CREATE INDEX ix_change_table_object_id ON change ("table", object_id);
CREATE INDEX ix_logical_router_port_document ON logical_router_port (document);
CREATE INDEX ix_logical_router_port_logical_router_id ON logical_router_port (logical_router_id);
CREATE INDEX ix_logical_router_port_peer ON logical_router_port (peer);
CREATE INDEX ix_logical_switch_port_document ON logical_switch_port (document);
CREATE INDEX ix_logical_switch_port_logical_switch_id ON logical_switch_port (logical_switch_id);
CREATE INDEX ix_logical_switch_port_router_port ON logical_switch_port (router_port);
CREATE INDEX ix_static_route_document ON static_route (document);
CREATE INDEX ix_static_route_logical_router_id ON static_route (logical_router_id);
CREATE INDEX ix_static_route_output_port ON static_route (output_port);
CREATE INDEX ix_acl_reference_target ON acl_reference (target);
CREATE INDEX ix_address_claim_logical_switch_id_number ON address_claim (logical_switch_id, number);
CREATE INDEX ix_address_claim_logical_switch_port_id ON address_claim (logical_switch_port_id);
CREATE INDEX ix_port_group_port_logical_switch_port_id ON port_group_port (logical_switch_port_id);
CREATE INDEX ix_southbound_fdb_port ON southbound_fdb (port);
CREATE INDEX ix_southbound_flow_group_cause_id ON southbound_flow_group (cause_id);
CREATE INDEX ix_southbound_flow_group_datapath ON southbound_flow_group (datapath);
CREATE INDEX ix_southbound_mac_binding_datapath ON southbound_mac_binding (datapath);
CREATE INDEX ix_southbound_port_fact_chassis ON southbound_port_fact (chassis);
CREATE INDEX ix_southbound_port_binding_name ON southbound_port_binding (name);
CREATE INDEX ix_southbound_port_binding_datapath ON southbound_port_binding (datapath);
COMMIT;
