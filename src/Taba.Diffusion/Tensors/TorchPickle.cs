using System.Numerics;
using System.Text;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Pickle;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>Writes the pickle with which torch.save describes one contiguous tensor in storage '0'.</summary>
static class TorchPickle
{
    public static byte[] BareTensor(ScalarType dtype, long[] shape, long elements)
    {
        var pickle = new MemoryStream();
        Put(PickleOpcode.PROTO);
        pickle.WriteByte(2);
        PutGlobal("torch._utils", "_rebuild_tensor_v2");
        Put(PickleOpcode.MARK);

        Put(PickleOpcode.MARK);
        PutText("storage");
        PutGlobal("torch", ElementTypes.TorchStorage(dtype));
        PutText("0");
        PutText("cpu");
        PutInteger(elements);
        Put(PickleOpcode.TUPLE);
        Put(PickleOpcode.BINPERSID);

        PutInteger(0); // the first element
        PutTuple(shape);
        PutTuple(StoredTensor.RowMajorStrides(shape));
        Put(PickleOpcode.NEWFALSE); // requires_grad
        PutGlobal("collections", "OrderedDict"); // backward hooks
        Put(PickleOpcode.EMPTY_TUPLE);
        Put(PickleOpcode.REDUCE);

        Put(PickleOpcode.TUPLE);
        Put(PickleOpcode.REDUCE);
        Put(PickleOpcode.STOP);
        return pickle.ToArray();

        void Put(PickleOpcode opcode) => pickle.WriteByte((byte)opcode);

        void PutGlobal(string module, string name)
        {
            Put(PickleOpcode.GLOBAL);
            pickle.Write(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));
        }

        void PutText(string text)
        {
            Put(PickleOpcode.BINUNICODE);
            pickle.Write(BitConverter.GetBytes(text.Length));
            pickle.Write(Encoding.ASCII.GetBytes(text));
        }

        void PutTuple(long[] numbers)
        {
            Put(PickleOpcode.MARK);
            foreach (var number in numbers)
                PutInteger(number);
            Put(PickleOpcode.TUPLE);
        }

        void PutInteger(long number)
        {
            if (number <= int.MaxValue)
            {
                Put(PickleOpcode.BININT);
                pickle.Write(BitConverter.GetBytes((int)number));
                return;
            }

            var bytes = new BigInteger(number).ToByteArray();
            Put(PickleOpcode.LONG1);
            pickle.WriteByte((byte)bytes.Length);
            pickle.Write(bytes);
        }
    }
}
