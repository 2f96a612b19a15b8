
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "audit_checkpoints": {
                  Row: {
                    "client_id": string,"created_at": string,"hash": string,"jws": string,"seq": number
                  }
                  ComputedFields: never
                  Insert: {
                    "client_id": string,"created_at"?: string,"hash": string,"jws": string,"seq": number
                  }
                  Update: {
                    "client_id"?: string,"created_at"?: string,"hash"?: string,"jws"?: string,"seq"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "a checkpoint is of a row of a chain"
      columns: ["client_id","seq"]
isOneToOne: true
      referencedRelation: "key_events"
      referencedColumns: ["client_id","seq"]
    }
                  ]
                },"bot_health_logs": {
                  Row: {
                    "bot_id": string,"client_id": string,"created_at": string,"detail": Json | null,"id": string,"since": string,"state": string
                  }
                  ComputedFields: never
                  Insert: {
                    "bot_id": string,"client_id": string,"created_at"?: string,"detail"?: Json | null,"id"?: string,"since": string,"state": string
                  }
                  Update: {
                    "bot_id"?: string,"client_id"?: string,"created_at"?: string,"detail"?: Json | null,"id"?: string,"since"?: string,"state"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "a health log is of a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    }
                  ]
                },"bot_heartbeats": {
                  Row: {
                    "beat_at": string,"bot_id": string,"client_id": string,"message": string | null,"metrics": Json | null,"status": string
                  }
                  ComputedFields: never
                  Insert: {
                    "beat_at"?: string,"bot_id": string,"client_id": string,"message"?: string | null,"metrics"?: Json | null,"status": string
                  }
                  Update: {
                    "beat_at"?: string,"bot_id"?: string,"client_id"?: string,"message"?: string | null,"metrics"?: Json | null,"status"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "a heartbeat is of a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    }
                  ]
                },"bot_policies": {
                  Row: {
                    "bot_id": string,"chain_ids": (string)[] | null,"client_id": string,"kinds": (string)[] | null,"max_value": number | null,"max_value_24h": number | null,"quarantine_after": number | null,"recipients": (string)[] | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "bot_id": string,"chain_ids"?: (string)[] | null,"client_id": string,"kinds"?: (string)[] | null,"max_value"?: number | null,"max_value_24h"?: number | null,"quarantine_after"?: number | null,"recipients"?: (string)[] | null,"updated_at"?: string
                  }
                  Update: {
                    "bot_id"?: string,"chain_ids"?: (string)[] | null,"client_id"?: string,"kinds"?: (string)[] | null,"max_value"?: number | null,"max_value_24h"?: number | null,"quarantine_after"?: number | null,"recipients"?: (string)[] | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "a policy is of a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    }
                  ]
                },"bot_signing_failures": {
                  Row: {
                    "bot_id": string,"client_id": string,"last_at": string,"last_code": string,"recent": (string)[]
                  }
                  ComputedFields: never
                  Insert: {
                    "bot_id": string,"client_id": string,"last_at": string,"last_code": string,"recent": (string)[]
                  }
                  Update: {
                    "bot_id"?: string,"client_id"?: string,"last_at"?: string,"last_code"?: string,"recent"?: (string)[]
                  }
                  Relationships: [
                    {
      foreignKeyName: "a failure is of a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    }
                  ]
                },"bot_types": {
                  Row: {
                    "chain": string,"created_at": string,"description": string,"enabled": boolean,"id": string,"name": string
                  }
                  ComputedFields: never
                  Insert: {
                    "chain": string,"created_at"?: string,"description": string,"enabled"?: boolean,"id": string,"name": string
                  }
                  Update: {
                    "chain"?: string,"created_at"?: string,"description"?: string,"enabled"?: boolean,"id"?: string,"name"?: string
                  }
                  Relationships: [
                    
                  ]
                },"bot_wallets": {
                  Row: {
                    "address": string,"bot_id": string,"chain": string,"client_id": string,"created_at": string,"encrypted_key": string | null,"id": string,"key_id": string | null,"master_key_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "address": string,"bot_id": string,"chain": string,"client_id": string,"created_at"?: string,"encrypted_key"?: string | null,"id"?: string,"key_id"?: string | null,"master_key_id"?: never
                  }
                  Update: {
                    "address"?: string,"bot_id"?: string,"chain"?: string,"client_id"?: string,"created_at"?: string,"encrypted_key"?: string | null,"id"?: string,"key_id"?: string | null,"master_key_id"?: never
                  }
                  Relationships: [
                    {
      foreignKeyName: "a wallet belongs to a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    }
                  ]
                },"bots": {
                  Row: {
                    "bot_type": string,"client_id": string,"config": NonNullable<Json>,"created_at": string,"id": string,"name": string,"started_at": string | null,"status": string,"stop_reason": string | null,"stopped_at": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "bot_type": string,"client_id": string,"config"?: NonNullable<Json>,"created_at"?: string,"id"?: string,"name": string,"started_at"?: string | null,"status"?: string,"stop_reason"?: string | null,"stopped_at"?: string | null
                  }
                  Update: {
                    "bot_type"?: string,"client_id"?: string,"config"?: NonNullable<Json>,"created_at"?: string,"id"?: string,"name"?: string,"started_at"?: string | null,"status"?: string,"stop_reason"?: string | null,"stopped_at"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "a bot belongs to a client"
      columns: ["client_id"]
isOneToOne: false
      referencedRelation: "clients"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "a bot is of a known type"
      columns: ["bot_type"]
isOneToOne: false
      referencedRelation: "bot_types"
      referencedColumns: ["id"]
    }
                  ]
                },"clients": {
                  Row: {
                    "created_at": string,"email": string,"id": string,"key_version": number,"name": string,"user_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"email": string,"id"?: string,"key_version"?: number,"name": string,"user_id"?: string | null
                  }
                  Update: {
                    "created_at"?: string,"email"?: string,"id"?: string,"key_version"?: number,"name"?: string,"user_id"?: string | null
                  }
                  Relationships: [
                    
                  ]
                },"key_events": {
                  Row: {
                    "actor": string,"actor_id": string | null,"address": string | null,"bot_id": string | null,"chain": string | null,"client_id": string,"created_at": string,"detail": Json | null,"event": string,"hash": string,"id": string,"key_id": string | null,"key_version": number | null,"previous_hash": string | null,"request_id": string | null,"seq": number,"signatures": number
                  }
                  ComputedFields: never
                  Insert: {
                    "actor": string,"actor_id"?: string | null,"address"?: string | null,"bot_id"?: string | null,"chain"?: string | null,"client_id": string,"created_at": string,"detail"?: Json | null,"event": string,"hash": string,"id": string,"key_id"?: string | null,"key_version"?: number | null,"previous_hash"?: string | null,"request_id"?: string | null,"seq": number,"signatures": number
                  }
                  Update: {
                    "actor"?: string,"actor_id"?: string | null,"address"?: string | null,"bot_id"?: string | null,"chain"?: string | null,"client_id"?: string,"created_at"?: string,"detail"?: Json | null,"event"?: string,"hash"?: string,"id"?: string,"key_id"?: string | null,"key_version"?: number | null,"previous_hash"?: string | null,"request_id"?: string | null,"seq"?: number,"signatures"?: number
                  }
                  Relationships: [
                    
                  ]
                },"machine_token_bots": {
                  Row: {
                    "bot_id": string,"client_id": string,"token_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "bot_id": string,"client_id": string,"token_id": string
                  }
                  Update: {
                    "bot_id"?: string,"client_id"?: string,"token_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "a token signs for a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    },{
      foreignKeyName: "a token that is deleted signs for no bot"
      columns: ["token_id"]
isOneToOne: false
      referencedRelation: "machine_tokens"
      referencedColumns: ["id"]
    }
                  ]
                },"machine_tokens": {
                  Row: {
                    "client_id": string | null,"created_at": string,"created_by": string | null,"expires_at": string | null,"id": string,"last_used_at": string | null,"master_key_id": string | null,"name": string,"scope": string,"token_hash": string
                  }
                  ComputedFields: never
                  Insert: {
                    "client_id"?: string | null,"created_at"?: string,"created_by"?: string | null,"expires_at"?: string | null,"id"?: string,"last_used_at"?: string | null,"master_key_id"?: string | null,"name": string,"scope"?: string,"token_hash": string
                  }
                  Update: {
                    "client_id"?: string | null,"created_at"?: string,"created_by"?: string | null,"expires_at"?: string | null,"id"?: string,"last_used_at"?: string | null,"master_key_id"?: string | null,"name"?: string,"scope"?: string,"token_hash"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "a machine token may be of a client"
      columns: ["client_id"]
isOneToOne: false
      referencedRelation: "clients"
      referencedColumns: ["id"]
    }
                  ]
                },"trading_keys": {
                  Row: {
                    "address": string,"chain": string,"client_id": string,"created_at": string,"encrypted_key": string,"id": string,"key_id": string,"master_key_id": string,"rotated_at": string,"version": number
                  }
                  ComputedFields: never
                  Insert: {
                    "address": string,"chain": string,"client_id": string,"created_at"?: string,"encrypted_key": string,"id"?: string,"key_id": string,"master_key_id"?: never,"rotated_at"?: string,"version": number
                  }
                  Update: {
                    "address"?: string,"chain"?: string,"client_id"?: string,"created_at"?: string,"encrypted_key"?: string,"id"?: string,"key_id"?: string,"master_key_id"?: never,"rotated_at"?: string,"version"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "a trading key belongs to a client"
      columns: ["client_id"]
isOneToOne: true
      referencedRelation: "clients"
      referencedColumns: ["id"]
    }
                  ]
                },"value_reservations": {
                  Row: {
                    "bot_id": string,"client_id": string,"created_at": string,"id": string,"value": number
                  }
                  ComputedFields: never
                  Insert: {
                    "bot_id": string,"client_id": string,"created_at"?: string,"id"?: string,"value": number
                  }
                  Update: {
                    "bot_id"?: string,"client_id"?: string,"created_at"?: string,"id"?: string,"value"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "a reservation is of a client's bot"
      columns: ["bot_id","client_id"]
isOneToOne: false
      referencedRelation: "bots"
      referencedColumns: ["id","client_id"]
    }
                  ]
                }
          }
          Views: {
            [_ in never]: never
          }
          Functions: {
            "add_wallet":
{ Args: { "bot_id": string,"edge_token": string,"once"?: Json,"wallet": Json }; Returns: Json
                           },
"chain_queued_events":
{ Args: { "at_most"?: number,"token": string }; Returns: Json
                           },
"check_out_key":
{ Args: { "bot_id": string,"edge_token": string,"once"?: Json,"signing": Json,"token": string,"wallet"?: string }; Returns: Json
                           },
"count_envelopes":
{ Args: Record<PropertyKey, never>; Returns: Json
                           },
"count_keys_to_rewrap":
{ Args: { "token": string }; Returns: number
                           },
"count_unopenable_envelopes":
{ Args: { "master_key_ids": (string)[] }; Returns: number
                           },
"create_bot":
{ Args: { "bot_type": string,"client_id": string,"config": Json,"edge_token": string,"name": string,"once"?: Json,"wallets": Json }; Returns: Json
                           },
"create_client":
{ Args: { "email": string,"link_account"?: boolean,"name": string,"once"?: Json }; Returns: Json
                           },
"edge_token_valid":
{ Args: { "edge_token": string }; Returns: boolean
                           },
"get_bot":
{ Args: { "bot_id": string }; Returns: Json
                           },
"get_bot_health":
{ Args: { "after"?: string,"bot_id": string,"page_size": number }; Returns: Json
                           },
"get_client":
{ Args: { "client_id": string }; Returns: Json
                           },
"get_own_client":
{ Args: Record<PropertyKey, never>; Returns: Json
                           },
"get_policy":
{ Args: { "bot_id": string }; Returns: Json
                           },
"get_runner_bot":
{ Args: { "bot_id": string,"token": string }; Returns: Json
                           },
"get_trading_key":
{ Args: { "client_id": string }; Returns: Json
                           },
"issue_token":
{ Args: { "bot_id": string,"expires_at"?: string,"name": string,"once"?: Json,"other_bot_ids": (string)[],"token_hash": string }; Returns: Json
                           },
"list_bot_options":
{ Args: { "client_id": string }; Returns: Json
                           },
"list_bots":
{ Args: { "after"?: string,"client_id": string,"page_size": number }; Returns: Json
                           },
"list_checkpoints":
{ Args: { "after"?: number,"client_id": string,"oldest_first"?: boolean,"page_size": number }; Returns: Json
                           },
"list_clients":
{ Args: { "after"?: string,"page_size": number }; Returns: Json
                           },
"list_deployment_checkpoints":
{ Args: { "after"?: number,"oldest_first"?: boolean,"page_size": number }; Returns: Json
                           },
"list_deployment_events":
{ Args: { "after"?: number,"event"?: string,"oldest_first"?: boolean,"page_size": number }; Returns: Json
                           },
"list_envelopes_to_rewrap":
{ Args: { "batch": number,"edge_token": string,"master_key_ids": (string)[],"token": string }; Returns: Json
                           },
"list_key_events":
{ Args: { "after"?: number,"client_id": string,"event"?: string,"oldest_first"?: boolean,"page_size": number }; Returns: Json
                           },
"list_runner_bots":
{ Args: { "after"?: string,"page_size"?: number,"token": string }; Returns: Json
                           },
"list_tokens":
{ Args: { "after"?: string,"bot_id": string,"page_size": number }; Returns: Json
                           },
"list_unsigned_heads":
{ Args: { "at_most": number,"token": string }; Returns: Json
                           },
"monitor_bots":
{ Args: { "batch"?: number,"token": string }; Returns: Json
                           },
"record_heartbeat":
{ Args: { "bot_id": string,"message"?: string,"metrics"?: Json,"once"?: Json,"status": string,"token": string }; Returns: Json
                           },
"report_refusal":
{ Args: { "bot_id"?: string,"client_id"?: string,"code": string,"edge_token": string,"route": string,"token_id"?: string }; Returns: Json
                           },
"report_runner_refusal":
{ Args: { "bot_id": string,"code": string,"edge_token": string,"route": string,"token": string }; Returns: Json
                           },
"report_signing_failure":
{ Args: { "bot_id": string,"code": string,"edge_token": string,"token": string }; Returns: Json
                           },
"revoke_key":
{ Args: { "client_id": string }; Returns: Json
                           },
"revoke_key_at_edge":
{ Args: { "client_id": string,"edge_token": string }; Returns: Json
                           },
"revoke_token":
{ Args: { "token_id": string }; Returns: Json
                           },
"rewrap_keys":
{ Args: { "edge_token": string,"rewrapped": Json,"token": string }; Returns: Json
                           },
"rotate_key":
{ Args: { "address": string,"chain": string,"client_id": string,"edge_token": string,"encrypted_key": string,"key_id": string,"once"?: Json }; Returns: Json
                           },
"schema_version":
{ Args: Record<PropertyKey, never>; Returns: number
                           },
"set_policy":
{ Args: { "bot_id": string,"policy": Json }; Returns: Json
                           },
"setup_bot":
{ Args: { "bot_type": string,"client_id": string,"config": Json,"edge_token": string,"name": string,"once"?: Json,"wallet": Json }; Returns: Json
                           },
"start_bot":
{ Args: { "bot_id": string,"once"?: Json }; Returns: Json
                           },
"step_up_agrees":
{ Args: { "max_sign_in_age_seconds"?: number,"require_aal2": boolean }; Returns: boolean
                           },
"stop_bot":
{ Args: { "bot_id": string }; Returns: Json
                           },
"store_checkpoints":
{ Args: { "checkpoints": Json,"edge_token": string,"token": string }; Returns: Json
                           }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            
          }
        }
} as const
