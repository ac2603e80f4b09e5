using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace Taba.Architecture.Tests;

/// <summary>The instructions of a compiled method (ECMA-335, partition III).</summary>
static class Il
{
    /// <summary>The first byte of the opcodes that have two.</summary>
    const byte TwoBytes = 0xFE;

    static readonly Dictionary<ushort, OpCode> s_codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => unchecked((ushort)code.Value));

    /// <summary>Each instruction: its opcode, where it begins, where its operand begins, and where it ends.</summary>
    public static IEnumerable<(OpCode Code, int Start, int Operand, int End)> Split(byte[] body)
    {
        for (var at = 0; at < body.Length;)
        {
            var start = at;
            ushort value = body[at++];
            var code = s_codes[value == TwoBytes ? (ushort)((value << 8) | body[at++]) : value];
            var operand = at;
            at += Length(code.OperandType, body.AsSpan(operand));
            yield return (code, start, operand, at);
        }
    }

    static int Length(OperandType type, ReadOnlySpan<byte> operand) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => sizeof(int) + (sizeof(int) * BinaryPrimitives.ReadInt32LittleEndian(operand)),
        _ => 4,
    };
}
