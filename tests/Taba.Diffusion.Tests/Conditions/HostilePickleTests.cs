using System.Text;
using CsCheck;
using Taba.Diffusion.Conditions;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Conditions;

public sealed class HostilePickleTests : IDisposable
{
    readonly TempFolder _folder = new();

    public static TheoryData<string, byte[], string> Hostile => new()
    {
        { "os.system by GLOBAL", [0x80, 2, .. "cposix\nsystem\n(X\u0002\0\0\0lstR."u8], "'posix.system'" },
        { "os.system of protocol 0", [.. "cos\nsystem\n(S'ls'\ntR."u8], "'os.system'" },
        { "os.system by INST", [.. "(ios\nsystem\n."u8], "'os.system'" },
        { "os.system by STACK_GLOBAL", [0x80, 4, 0x8c, 5, .. "posix"u8, 0x94, 0x8c, 6, .. "system"u8, 0x94, 0x93, .. "."u8],
        "'posix.system'" },
        { "a name that plays with terminals", [.. "c\u001b[2J\nx\n."u8], "'??2J.x'" },
        { "REDUCE", [.. "]R."u8], "REDUCE" },
        { "BUILD", [.. "]}b."u8], "EMPTY_DICT" },
        { "NEWOBJ", [.. "]]"u8, 0x81, .. "."u8], "NEWOBJ" },
        { "PERSID", [.. "Pabc\n."u8], "PERSID" },
        { "EXT1", [0x80, 2, 0x82, 1, .. "."u8], "EXT1" },
        { "a number in the list", [.. "]K\u0001a."u8], "BININT1" },
        { "bytes in the list", [.. "]C\u0001xa."u8], "SHORT_BINBYTES" },
        { "a str of Python 2", [.. "]U\u0001xa."u8], "SHORT_BINSTRING" },
        { "a list in the list", [.. "]]a."u8], "holds a list" },
        { "a list in itself", [.. "]q\0h\0a."u8], "holds a list" },
        { "lists among many", [.. "](]]e."u8], "holds a list" },
        { "a single text", [.. "X\u0001\0\0\0x."u8], "single text" },
        { "a tuple", [.. ")."u8], "EMPTY_TUPLE" },
        { "no opcode", [.. "]"u8, 0xff, .. "."u8], "0xff" },
        { "a protocol of the future", [0x80, 9, .. "]."u8], "protocol 9" },
        { "a length of 2^40", [0x80, 4, .. "]"u8, 0x8d, 0, 0, 0, 0, 0, 1, 0, 0, .. "xa."u8], "1099511627776 bytes" },
        { "a length of 2^64 - 1", [0x80, 4, .. "]"u8, 0x8d, 255, 255, 255, 255, 255, 255, 255, 255, .. "xa."u8],
        "18446744073709551615 bytes" },
        { "a length of 2^32 - 1", [.. "]X"u8, 255, 255, 255, 255, .. "xa."u8], "4294967295 bytes" },
        { "a frame of 2^40", [0x80, 4, 0x95, 0, 0, 0, 0, 0, 1, 0, 0, .. "]."u8], "1099511627776 bytes" },
        { "no UTF-8", [.. "]X\u0001\0\0\0"u8, 0xe9, .. "a."u8], "UTF-8" },
        { "half of a pair", [.. "]X\u0003\0\0\0"u8, 0xed, 0xa0, 0x80, .. "a."u8], "UTF-8" },
        { "half of a pair, escaped", [.. "]V\\ud800\na."u8], "Unicode" },
        { "no escape", [.. "]V\\u00\na."u8], "Unicode" },
        { "a line without end", [.. "]Vabc"u8], "does not end" },
        { "no memo of that number", [.. "]h\u0007a."u8], "value 7" },
        { "a memo index that is no number", [.. "]px\n."u8], "memo index" },
        { "nothing to pop", [.. "a."u8], "never gave" },
        { "nothing at the end", [.. "."u8], "never gave" },
        { "a value below the mark", [.. "](a."u8], "never gave" },
        { "an end without begin", [.. "]e."u8], "never began" },
        { "values left over", [.. "]]."u8], "left over" },
        { "a mark left over", [.. "(]."u8], "left over" },
        { "an append to a text", [.. "X\u0001\0\0\0xX\u0001\0\0\0xa."u8], "no list" },
        { "no stop", [.. "]"u8], "cut short" },
        { "no prompts", [0x80, 4, .. "]."u8], "no prompts" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Read_HostilePickle_IsRefusedByName(string what, byte[] pickle, string expected)
    {
        Assert.NotEmpty(what);
        var error = Assert.Throws<InvalidDataException>(() => PromptFile.Read(_folder.Write("prompts.pkl", pickle)));
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\u001b', error.Message);
    }

    [Fact]
    public void Read_ManyValuesFromFewBytes_IsRefused()
    {
        // Millions of references to one text.
        var pickle = Encoding.Latin1.GetBytes("](X\u0001\0\0\0xq\0" + string.Concat(Enumerable.Repeat("h\0", 5_000_000)) + "e.");

        var error = Assert.Throws<InvalidDataException>(() => PromptFile.Read(_folder.Write("prompts.pkl", pickle)));
        Assert.Contains("values", error.Message);
    }

    [Fact]
    public void Read_OneLongTextManyTimes_IsRefused()
    {
        byte[] text = [.. "](X\0\0\u0001\0"u8, .. Encoding.ASCII.GetBytes(new string('x', 65536)), .. "q\0"u8];
        byte[] pickle = [.. text, .. Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("h\0", 100_000))), .. "e."u8];

        var error = Assert.Throws<InvalidDataException>(() => PromptFile.Read(_folder.Write("prompts.pkl", pickle)));
        Assert.Contains("together", error.Message);
    }

    [Fact]
    public void Read_AnyDamage_IsRefusedOrRead()
    {
        var whole = File.ReadAllBytes(Fixtures.At("e2e/if_hobbit_gs1/sample_T10/prompts.pkl"));
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length]).Sample(
            (at, value, length) =>
            {
                var damaged = (byte[])whole.Clone();
                damaged[at] = value;
                try
                {
                    Assert.All(PromptPickle.Read(damaged[..length], "x"), text => Assert.InRange(text.Length, 0, whole.Length));
                }
                catch (InvalidDataException)
                {
                }
            },
            iter: 5000,
            threads: 1);
    }
}
